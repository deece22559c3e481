from __future__ import annotations

from fractions import Fraction
from math import comb, isclose
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.lift import FALSE_SHARE, Lift, Table, believed, corrected_lifts, lift_of, p_value

small = st.integers(0, 12)
chances = st.lists(st.floats(0, 1), max_size=30)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Any table with at least one lead on some side."""
    reached_with, missed_with, reached_without, missed_without = (draw(small) for _ in range(4))
    return Table(
        reached_with, reached_with + missed_with, reached_without, reached_without + missed_without
    )


def exact_p(table: Table) -> Fraction:
    """Fisher's test in whole numbers, split by split."""
    reached = table.reached_with + table.reached_without
    total = table.total_with + table.total_without
    ways = {
        k: comb(reached, k) * comb(total - reached, table.total_with - k)
        for k in range(min(reached, table.total_with) + 1)
        if table.total_with - k <= total - reached
    }
    uneven = sum(each for each in ways.values() if each <= ways[table.reached_with])
    return Fraction(uneven, comb(total, table.total_with))


def test_the_aspirin_trial_gives_its_published_lift() -> None:
    """Physicians' Health Study, 1988: 104 of 11,037 against 189 of 11,034; 0.55 (0.43 to 0.70)."""
    lift = lift_of(Table(104, 11_037, 189, 11_034))
    assert lift is not None
    assert [round(value, 2) for value in (lift.ratio, lift.low, lift.high)] == [0.55, 0.43, 0.70]


def test_the_lady_tasting_tea_gives_its_published_chance() -> None:
    """Fisher, 1935: three of four cups told right; 0.486 two-sided."""
    assert round(p_value(Table(3, 4, 1, 4)), 4) == 0.4857
    assert round(p_value(Table(4, 4, 0, 4)), 4) == 0.0286


@given(tables())
def test_the_chance_is_that_of_counting_every_split(table: Table) -> None:
    assert isclose(p_value(table), float(exact_p(table)), rel_tol=1e-9, abs_tol=1e-12)


@given(tables())
def test_swapping_the_sides_inverts_the_lift(table: Table) -> None:
    turned = Table(table.reached_without, table.total_without, table.reached_with, table.total_with)
    one, other = lift_of(table), lift_of(turned)
    if one is None or other is None:
        assert one is other
        return
    assert isclose(one.ratio, 1 / other.ratio)
    assert isclose(one.low, 1 / other.high)
    assert one.low <= one.ratio <= one.high


def test_an_empty_field_still_gives_a_finite_interval() -> None:
    """Worked by hand: (0.5 / 10.5) / (5.5 / 10.5)."""
    lift = lift_of(Table(0, 10, 5, 10))
    assert lift is not None
    assert isclose(lift.ratio, 1 / 11)
    assert 0 < lift.low < lift.high < 1000


@pytest.mark.parametrize("table", [Table(0, 0, 3, 5), Table(3, 5, 0, 0), Table(0, 5, 0, 5)])
def test_where_nothing_can_be_compared_there_is_no_lift(table: Table) -> None:
    assert lift_of(table) is None
    assert p_value(table) == 1


def test_the_worked_example_of_benjamini_and_hochberg() -> None:
    """Their table of 1995: fifteen findings, of which the first four are to be believed."""
    found = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
             0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    assert believed(found, false_share=0.05) == [True] * 4 + [False] * 11


@given(chances)
def test_believed_is_the_largest_rank_under_its_limit(values: list[float]) -> None:
    ranked = sorted(values)
    ranks = [k for k in range(1, len(values) + 1) if ranked[k - 1] <= FALSE_SHARE * k / len(values)]
    limit = ranked[max(ranks) - 1] if ranks else -1.0
    assert believed(values) == [value <= limit for value in values]


def test_chance_alone_is_hardly_ever_reported() -> None:
    """Red with each interval taken for itself: 2,000 looks at nothing then report about 90."""
    random = Random(7)
    reports = []
    for _ in range(40):
        looks = [table_by_chance(random) for _ in range(50)]
        reports.append(sum(lift is not None for lift in corrected_lifts(looks)))
    assert sum(1 for number in reports if number) <= 1


def table_by_chance(random: Random) -> Table:
    reached_with = sum(random.random() < 0.3 for _ in range(80))
    return Table(reached_with, 80, sum(random.random() < 0.3 for _ in range(200)), 200)


def test_a_true_difference_among_many_is_reported_with_a_wider_interval() -> None:
    random = Random(8)
    planted = Table(60, 80, 60, 200)
    found = corrected_lifts([planted, *(table_by_chance(random) for _ in range(30))])
    alone = lift_of(planted)
    assert alone is not None
    assert found[0] is not None
    assert found[0].low < alone.low < alone.high < found[0].high
    assert found[1:] == [None] * 30


def test_the_near_limit_is_what_the_counts_vouch_for() -> None:
    assert [Lift(2, 1.5, 3).near, Lift(0.5, 0.3, 0.8).near, Lift(2, 0.9, 4).near] == [1.5, 0.8, 1]
