"""Learns from the history which leads reach a target; see docs/predictive.md."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from leads.importing.mapping import ATTRIBUTE_PREFIX
from scoring.cases import UnknownTarget
from scoring.models import PredictiveModel
from scoring.predictive.formula import read_formula
from scoring.services.training import CannotTrain, start_training, train_waiting

_SHOWN_COLUMNS = 10


class Command(BaseCommand):
    """Train a predictive score and say how well it predicts; exits with 1 when it cannot."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the target and the form of the answer."""
        parser.add_argument(
            "--target",
            required=True,
            help="sql, won, converted, or the name of a yes-or-no attribute",
        )
        parser.add_argument(
            "--include",
            action="append",
            default=[],
            metavar="COLUMN",
            help="use this column although it may give the outcome away; may be repeated",
        )
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *, target: str, include: list[str], **options: Any) -> None:
        """Read the clock, train and report."""
        now = timezone.now()
        try:
            model = start_training(target=target, included=include, now=now)
        except (UnknownTarget, CannotTrain) as refusal:
            raise CommandError(str(refusal)) from refusal
        if not train_waiting(now=now):
            raise CommandError("A worker has taken the training: the page shows how far it is.")
        model.refresh_from_db()
        if not model.is_trained:
            raise CommandError(model.error)
        if options["json"]:
            self.stdout.write(json.dumps(_document(model), indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(_lines(model)))


def _document(model: PredictiveModel) -> dict[str, Any]:
    told: dict[str, Any] = model.results or {}
    area = told["auc"]
    return {
        "model": model.pk,
        "target": model.target,
        **told,
        "auc": area["value"],
        "auc_interval": [area["low"], area["high"]],
        "leaks": [{**leak, "column": _short(leak["column"])} for leak in told["leaks"]],
        "formula": model.formula,
    }


def _lines(model: PredictiveModel) -> list[str]:
    told: dict[str, Any] = model.results or {}
    sample, area = told["sample"], told["auc"]
    formula = read_formula(model.formula or {})
    strongest = sorted(formula.columns, key=lambda column: -column.reach)[:_SHOWN_COLUMNS]
    reached = f"{sample['positives']:,} of {sample['leads']:,} leads"
    return [
        f"{model.target_label}: {reached}, as known {sample['moment']}",
        f"AUC {area['value']:.3f} ({area['low']:.3f} to {area['high']:.3f}), cross-validated",
        *(f"Warning: {_warning(leak)}" for leak in told["leaks"]),
        "What tells most:",
        *(f"  {column.label}" for column in strongest),
        "It decides nothing, and is shown once somebody activates it: Scoring, Predictive.",
    ]


def _warning(leak: dict[str, Any]) -> str:
    use = "used all the same" if leak["is_included"] else "left out"
    name = f"{leak['label']} ({_short(leak['column'])})"
    return f"{name} may give the outcome away, {use}. {leak['sentence']}"


def _short(column: str) -> str:
    """Return the name of a column as ``--include`` takes it."""
    return column.removeprefix(ATTRIBUTE_PREFIX)
