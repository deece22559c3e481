"""Columns that give the outcome away: known of a lead only because of what became of it. Pure.

Such a column makes the training look brilliant and predicts nothing, because nobody knows it of a
lead that is still to be judged. Facts with a time cannot leak, what came later is not counted; an
imported column has no times, so its values, its name and what people say of it have to tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from scoring.predictive.accuracy import auc
from scoring.predictive.levels import FEWEST, NO_ANSWER, Column, Origin

T = TypeVar("T")

#: A single column that orders leads so well is too good to be true. Our choice: the best honest
#: column of the data we know stays below 0.75.
TOO_GOOD = 0.85
#: A level is sure when this share of its leads had the outcome, or when those that had it are less
#: than the rest of this share of what the average says.
_SURE = 0.98
#: Sure levels matter when they hold so many of all leads with that end.
_COVERED = 0.10
#: A column is filled in later when so many of its answers came after the moment of prediction.
_LATER = 0.5
#: So many folds keep a level from being judged by the very leads that it has to order.
_FOLDS = 5

#: Words in a column's name by which somebody, or a program, says what they think of the lead.
JUDGING = frozenset(
    {
        "disposition", "grade", "index", "outcome", "priority", "profile", "qualified", "quality",
        "rank", "rating", "score", "stage", "status", "tag", "tags", "verdict",
    }
)  # fmt: skip


class LeakReason(Enum):
    """By what a column is taken for a leak, the surest first."""

    BY_SALES = "BY_SALES"
    LATER = "LATER"
    TOO_GOOD = "TOO_GOOD"
    NAME = "NAME"


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that is left out unless somebody asks for it, and why in a sentence."""

    column: Column
    reason: LeakReason
    sentence: str


@dataclass(frozen=True, slots=True)
class Answers:
    """How many leads of a sample answered a column: at the moment of prediction, and by today."""

    then: int
    today: int


def find_leak(
    column: Column, keys: Sequence[str], outcomes: Sequence[bool], answers: Answers
) -> Leak | None:
    """Return why a column may give the outcome away, if it may.

    Args:
        column: what it is; one that is counted from the log by its times cannot leak.
        keys: the level of each lead of the sample.
        outcomes: what became of each.
        answers: how many of them had an answer when.
    """
    if column.origin is Origin.COUNTED:
        return None
    for reason, sentence in _suspicions(column, keys, outcomes, answers):
        return Leak(column, reason, sentence)
    return None


def _suspicions(
    column: Column, keys: Sequence[str], outcomes: Sequence[bool], answers: Answers
) -> Iterator[tuple[LeakReason, str]]:
    if column.is_by_sales:
        yield LeakReason.BY_SALES, "Declared as entered by sales"
    later = answers.today - answers.then
    if answers.today >= FEWEST and later > _LATER * answers.today:
        yield (
            LeakReason.LATER,
            f"Filled in later: {later:,} of its {answers.today:,} answers came after that moment",
        )
    yield from ((LeakReason.TOO_GOOD, sentence) for sentence in _wonders(keys, outcomes))
    if words := judging_words(column):
        yield LeakReason.NAME, f"Its name says that it judges the lead ({words[0]})"


def judging_words(column: Column) -> list[str]:
    """Return the words of a column's name that stand for a judgement."""
    said = re.findall(r"[a-z]+", f"{column.name.partition('.')[2]} {column.label}".lower())
    return [word for word in said if word in JUDGING]


def _wonders(keys: Sequence[str], outcomes: Sequence[bool]) -> Iterator[str]:
    """Yield in which ways the levels tell the outcome too well."""
    area = single_auc(keys, outcomes)
    if area >= TOO_GOOD:
        yield f"Too good to be true: alone it orders leads with an AUC of {area:.2f}"
    leads, positives = Counter(keys), Counter(_chosen(keys, outcomes))
    base = positives.total() / leads.total()
    sure = {key for key, number in leads.items() if _is_sure(positives[key], number)}
    covered = sum(positives[key] for key in sure)
    if covered >= max(FEWEST, _COVERED * positives.total()):
        yield f"Too good to be true: {covered:,} leads have an answer with which all convert"
    barren = {key for key, number in leads.items() if _is_barren(positives[key], number * base)}
    lost = sum(leads[key] - positives[key] for key in barren - {NO_ANSWER})
    if lost >= _COVERED * (leads.total() - positives.total()):
        yield f"Too good to be true: {lost:,} leads have an answer with which none converts"


def _is_sure(positives: int, leads: int) -> bool:
    return leads >= FEWEST and positives >= _SURE * leads


def _is_barren(positives: int, expected: float) -> bool:
    return expected >= FEWEST and positives <= (1 - _SURE) * expected


def single_auc(keys: Sequence[str], outcomes: Sequence[bool]) -> float:
    """Return how well a column alone orders leads, each judged by the leads of other folds."""
    folds = [at % _FOLDS for at in range(len(keys))]
    leads = Counter(zip(folds, keys, strict=True))
    positives = Counter(_chosen(list(zip(folds, keys, strict=True)), outcomes))
    base = positives.total() / leads.total()
    all_leads, all_positives = _over_folds(leads), _over_folds(positives)
    rates = {
        (fold, key): (all_positives[key] - positives[fold, key] + base)
        / (all_leads[key] - leads[fold, key] + 1)
        for fold, key in leads
    }
    return auc([rates[each] for each in zip(folds, keys, strict=True)], outcomes).value


def _chosen(values: Sequence[T], outcomes: Sequence[bool]) -> list[T]:
    return [value for value, is_one in zip(values, outcomes, strict=True) if is_one]


def _over_folds(counts: Mapping[tuple[int, str], int]) -> Counter[str]:
    summed: Counter[str] = Counter()
    for (_, key), number in counts.items():
        summed[key] += number
    return summed
