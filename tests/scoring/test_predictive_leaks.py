"""Planted leaks are found and honest columns are not."""

from __future__ import annotations

import random

import pytest

from scoring.predictive.choosing import Dull, Sampled, choose
from scoring.predictive.leaks import Answers, LeakReason, find_leak, single_auc
from scoring.predictive.levels import Column, ColumnKind, Origin

OUTCOMES = [number % 4 == 0 for number in range(800)]
PLAIN = Column("attributes.heard", "Heard of us", ColumnKind.TEXT)
COUNTED = Column("acts_recent", "Acts", ColumnKind.NUMBER, Origin.COUNTED)


def reason(
    keys: list[str], column: Column = PLAIN, answers: Answers | None = None
) -> LeakReason | None:
    leak = find_leak(column, keys, OUTCOMES, answers or Answers(800, 800))
    return leak.reason if leak else None


def mixed(yes: float, no: float, seed: int = 5) -> list[str]:
    """Return an answer that so many of those with the outcome gave, and so many of the others."""
    rng = random.Random(seed)
    return ["=x" if rng.random() < (yes if each else no) else "" for each in OUTCOMES]


def test_an_honest_column_is_no_leak() -> None:
    assert reason(mixed(0.9, 0.6)) is None
    assert reason(mixed(0.5, 0.5)) is None


def test_a_column_that_orders_the_leads_alone_is_too_good() -> None:
    keys = mixed(0.95, 0.05)
    assert single_auc(keys, OUTCOMES) > 0.9
    assert reason(keys) is LeakReason.TOO_GOOD


def test_an_answer_that_only_converted_leads_have_is_too_good() -> None:
    assert reason(mixed(0.3, 0.0)) is LeakReason.TOO_GOOD
    assert reason(mixed(0.3, 0.02)) is None


def test_an_answer_that_only_lost_leads_have_is_too_good() -> None:
    assert reason(mixed(0.0, 0.4)) is LeakReason.TOO_GOOD
    assert reason(mixed(0.06, 0.4)) is None


def test_no_answer_of_lost_leads_alone_is_no_proof() -> None:
    keys = ["" if key else "=x" for key in mixed(0.0, 0.4)]
    assert single_auc(keys, OUTCOMES) < 0.85
    assert reason(keys) is None


def test_what_sales_fills_in_is_a_leak_whatever_it_says() -> None:
    by_sales = Column("attributes.x", "X", ColumnKind.TEXT, is_by_sales=True)
    assert reason(mixed(0.5, 0.5), by_sales) is LeakReason.BY_SALES


def test_what_was_mostly_filled_in_later_is_a_leak() -> None:
    assert reason(mixed(0.5, 0.5), answers=Answers(40, 100)) is LeakReason.LATER
    assert reason(mixed(0.5, 0.5), answers=Answers(60, 100)) is None


@pytest.mark.parametrize("label", ["Lead Quality", "Tags", "Asymmetrique Activity Score"])
def test_a_name_that_judges_the_lead_is_suspect(label: str) -> None:
    column = Column(f"attributes.{label.lower().replace(' ', '_')}", label, ColumnKind.TEXT)
    assert reason(mixed(0.5, 0.5), column) is LeakReason.NAME


@pytest.mark.parametrize("label", ["Seconds on the site", "Occupation", "Staging server"])
def test_an_ordinary_name_is_not(label: str) -> None:
    column = Column("attributes.x", label, ColumnKind.TEXT)
    assert reason(mixed(0.5, 0.5), column) is None


def test_what_is_counted_by_its_times_cannot_leak() -> None:
    assert reason(mixed(1.0, 0.0), COUNTED) is None


def test_columns_are_chosen_left_out_or_told_dull() -> None:
    full = Answers(800, 800)
    sample = [
        Sampled(PLAIN, ["fair" if each else None for each in mixed(0.6, 0.4)], full),
        Sampled(Column("attributes.tags", "Tags", ColumnKind.TEXT), mixed(0.6, 0.4), full),
        Sampled(Column("number", "Number", ColumnKind.NUMBER), list(range(800)), full),
        Sampled(Column("medium", "Medium", ColumnKind.TEXT), ["web"] * 800, full),
        Sampled(Column("city", "City", ColumnKind.TEXT), [None] * 800, Answers(0, 0)),
        Sampled(COUNTED, [0] * 800, full),
    ]
    choice = choose(sample, OUTCOMES, included=[])
    assert [each.coding.column for each in choice.chosen] == [PLAIN]
    assert [leak.column.label for leak in choice.leaks] == ["Tags"]
    assert [(column.label, fault) for column, fault in choice.dull] == [
        ("Number", Dull.NUMBER),
        ("Medium", Dull.SAME),
        ("City", Dull.UNANSWERED),
    ]
    offered = choose(sample, OUTCOMES, included=["attributes.tags"])
    assert [each.coding.column.label for each in offered.chosen] == ["Heard of us", "Tags"]
    assert offered.leaks == choice.leaks
