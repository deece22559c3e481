"""Choosing the columns of a sample that a formula may use, and saying why not the others. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from scoring.predictive.leaks import Answers, Leak, find_leak
from scoring.predictive.levels import (
    FEWEST,
    Coding,
    Column,
    Origin,
    Value,
    coding_of,
    is_number_of_rows,
)


class Dull(Enum):
    """Why a column tells nothing."""

    UNANSWERED = "Nobody had an answer"
    NUMBER = "Numbers the leads: none has the value of another"
    SAME = "The same for nearly all"


@dataclass(frozen=True, slots=True)
class Sampled:
    """A column with its value for each lead of the sample."""

    column: Column
    values: Sequence[Value]
    answers: Answers


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column that is used, and the level of each lead of the sample."""

    coding: Coding
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is used, what may leak (used or not), and what tells nothing."""

    chosen: Sequence[Chosen]
    leaks: Sequence[Leak]
    dull: Sequence[tuple[Column, Dull]]


def choose(
    sample: Sequence[Sampled], outcomes: Sequence[bool], *, included: Collection[str]
) -> Choice:
    """Return which columns to use: all that tell something, and leaks that were asked for.

    Args:
        sample: every column that may be known.
        outcomes: what became of each lead.
        included: names of columns to use although they may leak.
    """
    chosen: list[Chosen] = []
    leaks: list[Leak] = []
    dull: list[tuple[Column, Dull]] = []
    for sampled in sample:
        coded = _coded(sampled)
        leak = find_leak(sampled.column, coded.keys, outcomes, sampled.answers)
        fault = _dullness(sampled, coded)
        if leak:
            leaks.append(leak)
        elif fault and sampled.column.origin is Origin.ENTERED:
            dull.append((sampled.column, fault))
        if not fault and (leak is None or sampled.column.name in included):
            chosen.append(coded)
    return Choice(chosen, leaks, dull)


def _coded(sampled: Sampled) -> Chosen:
    coding = coding_of(sampled.column, sampled.values)
    keys = [coding.key(value) for value in sampled.values]
    return Chosen(coding, [key for key in keys if key is not None])


def _dullness(sampled: Sampled, coded: Chosen) -> Dull | None:
    if sampled.column.origin is Origin.ENTERED and not sampled.answers.then:
        return Dull.UNANSWERED
    if is_number_of_rows(sampled.column, sampled.values):
        return Dull.NUMBER
    [(_, most), *_] = Counter(coded.keys).most_common(1)
    return Dull.SAME if len(coded.keys) - most < FEWEST else None
