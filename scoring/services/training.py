"""Training a predictive score: asked for by a person, done in the background, kept as JSON."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.accounts.models import User
from crm.common.locks import alone
from leads.importing.mapping import ATTRIBUTE_PREFIX
from scoring.cases import Cases, Target, read_cases, target_named
from scoring.enums import TrainingState
from scoring.knowledge import columns, read_known
from scoring.models import PredictiveModel
from scoring.predictive.accuracy import auc, calibration
from scoring.predictive.choosing import Choice, Sampled, choose
from scoring.predictive.formula import Formula, centred, formula_document
from scoring.predictive.leaks import Answers
from scoring.predictive.levels import Column, Origin

logger = logging.getLogger(__name__)

#: Leads of either outcome that a sample needs. Ten for each weight is the rule of thumb, and a
#: formula has some ten columns that matter.
FEWEST_OUTCOMES = 100
#: How often a training begins that is killed again and again, by lack of memory for example.
MOST_ATTEMPTS = 3
INSTALL = "Training needs scikit-learn, which this installation does without: run ./baton setup ml"
_READ = 2_000
#: Percents of the progress that reading takes.
_READING = 40
#: One training at a time, whichever process it runs in; any number that no other lock here uses.
_ADVISORY_LOCK = 7_214_004


class CannotTrain(Exception):
    """Nothing can be trained as asked; the message says why and what to do."""


class TrainingUnderWay(CannotTrain):
    """Another training is not finished yet."""


def can_train() -> bool:
    """Say whether the extra ``ml`` is installed."""
    return find_spec("sklearn") is not None


def start_training(
    *, target: str, now: datetime, included: Sequence[str] = (), actor: User | None = None
) -> PredictiveModel:
    """Ask for a training; the sweep does it.

    Args:
        target: ``sql``, ``won``, ``converted`` or the name of a yes-or-no attribute.
        now: when it is asked for.
        included: names or labels of columns to use although they may leak the outcome.
        actor: who asks; None for a command.

    Raises:
        UnknownTarget: naming what can be predicted.
        CannotTrain: when the extra is missing, a column is not known, or a training is under way.
    """
    if not can_train():
        raise CannotTrain(f"{INSTALL}.")
    found = target_named(target)
    asked = _column_names(included)
    try:
        with transaction.atomic():
            return PredictiveModel.objects.create(
                target=found.name,
                target_label=found.label,
                included=asked,
                requested_at=now,
                requested_by=actor,
            )
    except IntegrityError as error:
        raise TrainingUnderWay(_who_trains()) from error


def _column_names(asked: Sequence[str]) -> list[str]:
    """Return the names of columns that were asked for by name, short name or label.

    Raises:
        CannotTrain: naming one that is not known, and what is.
    """
    entered = [column for column in columns() if column.origin is Origin.ENTERED]
    names = {
        spelling.lower(): column.name
        for column in entered
        for spelling in (column.label, column.name.removeprefix(ATTRIBUTE_PREFIX), column.name)
    }
    for name in asked:
        if name.strip().lower() not in names:
            offered = ", ".join(each.name.removeprefix(ATTRIBUTE_PREFIX) for each in entered)
            raise CannotTrain(f"There is no column {name.strip()[:60]!r}; there are: {offered}.")
    return list(dict.fromkeys(names[name.strip().lower()] for name in asked))


def _who_trains() -> str:
    running = PredictiveModel.objects.under_way().select_related("requested_by").first()
    if running is None:
        return "Another training has just ended. Try again."
    who = running.requested_by or "a command"
    at = timezone.localtime(running.requested_at)
    return (
        f"The training for {running.target_label} that {who} asked for at {at:%H:%M} is not"
        " finished yet. Wait for it, then try again."
    )


def train_waiting(*, now: datetime) -> bool:
    """Do the training that is asked for, if any; say whether it was done here.

    A second worker leaves it to the first. One that was killed begins anew; after
    ``MOST_ATTEMPTS`` it is given up.
    """
    with alone(_ADVISORY_LOCK) as is_alone:
        model = PredictiveModel.objects.under_way().first() if is_alone else None
        if model is None:
            return False
        if model.attempts >= MOST_ATTEMPTS:
            _fail(model, f"It was interrupted {MOST_ATTEMPTS} times; is there memory enough?", now)
            return True
        model.attempts, model.state = model.attempts + 1, TrainingState.RUNNING
        model.progress = 0
        model.save(update_fields=["attempts", "state", "progress"])
        try:
            _finish(model, now)
        except CannotTrain as refusal:
            _fail(model, str(refusal), now)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception("The training %s failed", model.pk)
            _fail(model, "An unforeseen error; the log of the worker has it.", now)
    return True


def _finish(model: PredictiveModel, now: datetime) -> None:
    def tell(percent: int) -> None:
        PredictiveModel.objects.filter(pk=model.pk).update(progress=percent)

    target = target_named(model.target)
    formula, results = train(target, included=model.included, now=now, tell=tell)
    model.formula, model.results = formula_document(formula), results
    model.state, model.progress, model.finished_at = TrainingState.TRAINED, 100, timezone.now()
    model.save(update_fields=["formula", "results", "state", "progress", "finished_at"])


def _fail(model: PredictiveModel, why: str, now: datetime) -> None:
    model.state, model.error, model.finished_at = TrainingState.FAILED, why[:500], now
    model.save(update_fields=["state", "error", "finished_at"])


def train(
    target: Target, *, included: Sequence[str], now: datetime, tell: Callable[[int], None]
) -> tuple[Formula, dict[str, Any]]:
    """Learn a formula for ``target`` from everything known by ``now``.

    Args:
        target: what to predict.
        included: names of columns to use although they may leak the outcome.
        now: the moment of asking.
        tell: is called with the percents that are done.

    Returns:
        The formula, and what there is to say of the training, as JSON.

    Raises:
        CannotTrain: with fewer than 100 leads of either outcome, or when no column tells anything.
    """
    from scoring.predictive.fitting import fit  # noqa: PLC0415 -- optional dependency

    found = read_cases(target, now=now)
    outcomes = [case.is_reached for case in found.cases]
    _refuse_too_few(target, outcomes)
    own = f"{ATTRIBUTE_PREFIX}{target.name}" if target.is_attribute else ""
    asked = [column for column in columns() if column.name != own]
    choice = choose(_sample(found, asked, tell), outcomes, included=included)
    if not choice.chosen:
        raise CannotTrain("No column tells anything of these leads that may be used.")
    numbers = [{key: at for at, key in enumerate(each.coding.levels)} for each in choice.chosen]
    learned = fit(
        [
            [places[key] for key in each.keys]
            for each, places in zip(choice.chosen, numbers, strict=True)
        ],
        [len(places) for places in numbers],
        outcomes,
        tell=lambda done, of: tell(_READING + (99 - _READING) * done // of),
    )
    formula = centred(
        learned.intercept,
        [each.coding for each in choice.chosen],
        learned.weights,
        _counts(choice, outcomes),
    )
    return formula, {
        "sample": _sample_document(found, outcomes),
        "auc": asdict(auc(learned.predicted, outcomes)),
        "calibration": [asdict(each) for each in calibration(learned.predicted, outcomes)],
        "strength": learned.strength,
        **_choice_document(choice, included),
    }


def _refuse_too_few(target: Target, outcomes: Sequence[bool]) -> None:
    reached = sum(outcomes)
    missed = len(outcomes) - reached
    if min(reached, missed) < FEWEST_OUTCOMES:
        raise CannotTrain(
            f"Training needs {FEWEST_OUTCOMES} leads that reached {target.label} and as many that"
            f" did not, with time enough to do so; there are {reached:,} and {missed:,}."
        )


def _sample(found: Cases, asked: Sequence[Column], tell: Callable[[int], None]) -> list[Sampled]:
    """Return what was known of each case, column by column."""
    values: dict[str, list[Any]] = {column.name: [] for column in asked}
    today: Counter[str] = Counter()
    for start in range(0, len(found.cases), _READ):
        part = found.cases[start : start + _READ]
        known = read_known(part)
        for case in part:
            for column in asked:
                values[column.name].append(known[case.lead_id].then.get(column.name))
            today.update(name for name, value in known[case.lead_id].today.items() if value)
        tell(_READING * (start + len(part)) // len(found.cases))
    return [
        Sampled(column, values[column.name], _answers(column, values[column.name], today))
        for column in asked
    ]


def _answers(column: Column, values: Sequence[Any], today: Mapping[str, int]) -> Answers:
    then = sum(value is not None for value in values)
    return Answers(then, max(then, today.get(column.name, 0)))


def _counts(choice: Choice, outcomes: Sequence[bool]) -> list[list[tuple[int, int]]]:
    """Return the leads and the positives of each level of each column."""
    counts = []
    for each in choice.chosen:
        leads = Counter(each.keys)
        positives = Counter(key for key, yes in zip(each.keys, outcomes, strict=True) if yes)
        counts.append([(leads[key], positives[key]) for key in each.coding.levels])
    return counts


def _sample_document(found: Cases, outcomes: Sequence[bool]) -> dict[str, Any]:
    return {
        "leads": len(outcomes),
        "positives": sum(outcomes),
        "moment": found.moment.value,
        "patience_days": found.patience.days,
        "first_at": found.cases[-1].at.isoformat(),
        "last_at": found.cases[0].at.isoformat(),
    }


def _choice_document(choice: Choice, included: Sequence[str]) -> dict[str, Any]:
    return {
        "leaks": [
            {
                "column": leak.column.name,
                "label": leak.column.label,
                "reason": leak.reason.value,
                "sentence": leak.sentence,
                "is_included": leak.column.name in included,
            }
            for leak in choice.leaks
        ],
        "dull": [
            {"column": column.name, "label": column.label, "sentence": fault.value}
            for column, fault in choice.dull
        ],
    }
