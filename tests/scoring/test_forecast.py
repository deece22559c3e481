from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.definition import Definition, parse_definition
from scoring.forecast import MINUTE, Curve, Forecast, forecast
from scoring.points import line_value, total
from tests.factories import NOW
from tests.scoring.logs import document


def model(
    *rules: dict[str, Any], cells: tuple[str, ...] = ("B1", "B2"), **group: Any
) -> Definition:
    """Return a model in which each rule has its own label; ``group`` changes the one group."""
    labelled = [
        {"label": f"Rule {i}", "match": {"kind": "DOWNLOAD"}, "points": 1, **rule}
        for i, rule in enumerate(rules)
    ]
    whole = document(*labelled)
    whole["engagement"]["groups"][0] |= group
    whole["mql"]["cells"] = list(cells)
    return parse_definition(whole)


FADING = {"half_life_days": 10}
LASTING: dict[str, Any] = {}


def test_a_lead_drops_out_when_its_engagement_falls_below_the_level() -> None:
    # 61.2 points, half-life 10 days. 60.9 is shown from 60.95 on: 10 d * log2(61.2 / 60.95) is
    # 85.04 min. 49.9, level 3, is reached below 49.95: 10 d * log2(61.2 / 49.95) is 4219.9 min
    ahead = forecast(model(FADING), [612.0], now=NOW, cell="B2")
    assert ahead == Forecast(NOW + 86 * MINUTE, NOW + 4220 * MINUTE, NOW + 4220 * MINUTE)


def test_what_never_fades_never_changes() -> None:
    assert forecast(model(LASTING), [612.0], now=NOW, cell="B2") == Forecast(None, None, None)


def test_a_lead_outside_the_definition_has_no_day_on_which_it_drops_out() -> None:
    assert forecast(model(FADING), [612.0], now=NOW, cell="").drops_out_at is None


def test_a_level_lasts_until_its_threshold_whoever_is_inside() -> None:
    # as above: 61.2 points are below 50 after 4219.9 min; 20 points are on the lowest level
    definition = model(FADING, cells=("A1",))
    for amount, changes_at in ((612.0, NOW + 4220 * MINUTE), (200.0, None)):
        ahead = forecast(definition, [amount], now=NOW, cell="")
        assert ahead.level_changes_at == changes_at


def test_a_negative_line_that_fades_may_raise_the_level() -> None:
    # 60 less 10.9 is 49.1, level 3; 50 is reached when 10.05 are left: 10 d * log2(10.9 / 10.05)
    # is 1686.7 min
    definition = model({**LASTING, "points": 60}, {**FADING, "points": -20})
    ahead = forecast(definition, [600.0, -109.0], now=NOW, cell="")
    assert ahead.level_changes_at == NOW + 1687 * MINUTE


def test_the_next_level_may_be_inside_too() -> None:
    # B3 is inside as well, so the way is down to 24.95: 10 d * log2(61.2 / 24.95) is 18640.3 min
    inside = model(FADING, cells=("B1", "B2", "B3"))
    ahead = forecast(inside, [612.0], now=NOW, cell="B2")
    assert ahead.drops_out_at == NOW + 18641 * MINUTE
    assert ahead.level_changes_at == NOW + 4220 * MINUTE


def test_a_grade_that_is_inside_on_every_level_never_drops_out() -> None:
    inside = model(FADING, cells=("A1", "A2", "A3", "A4"))
    assert forecast(inside, [612.0], now=NOW, cell="A2").drops_out_at is None


def test_what_lies_above_a_cap_must_fade_first() -> None:
    # 40 points under a cap of 20: shown 20 until 19.95: 10 d * log2(40 / 19.95) is 14452.0 min
    capped = model({**FADING, "cap": 20})
    assert forecast(capped, [400.0], now=NOW, cell="").changes_at == NOW + 14453 * MINUTE


def test_a_negative_line_that_fades_raises_the_score() -> None:
    # 30 - 10.4 is 19.6; 20.0 from -10.05 on: 10 d * log2(10.4 / 10.05) is 711.1 min
    mixed = model(LASTING, FADING)
    assert forecast(mixed, [300.0, -104.0], now=NOW, cell="").changes_at == NOW + 712 * MINUTE


def test_a_forecast_counts_minutes_across_a_clock_change() -> None:
    # in Berlin the clocks went back on 26 October 2025: 4220 minutes are 69 h 20 of wall clock
    now = datetime(2025, 10, 24, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    ahead = forecast(model(FADING), [612.0], now=now, cell="B2")
    assert ahead.drops_out_at == now.astimezone(UTC) + 4220 * MINUTE


amounts = st.floats(-900, 900).map(lambda amount: round(amount, 2))
lives = st.sampled_from([None, 1, 2, 5.5])
caps = st.sampled_from([5, 40, 100])


@given(
    lines=st.lists(
        st.tuples(amounts, lives, st.sampled_from([5, 40, 100])), min_size=1, max_size=4
    ),
    floor=st.sampled_from([0, -20]),
    most=st.sampled_from([30, 100]),
)
@settings(deadline=None)
def test_nothing_shown_changes_before_the_forecast_and_something_does_then(
    lines: list[tuple[float, float | None, int]], floor: int, most: int
) -> None:
    rules = [{"half_life_days": life, "cap": cap} for _, life, cap in lines]
    definition = model(*rules, floor=floor, cap=most)
    sums = [amount for amount, _, _ in lines]
    curve = Curve(definition, sums)
    shown = curve.score(0) // 10

    changes_at = forecast(definition, sums, now=NOW, cell="").changes_at

    end = 40 * 24 * 60 if changes_at is None else (changes_at - NOW) // MINUTE
    assert {curve.score(minute) // 10 for minute in range(0, end, max(1, end // 400))} <= {shown}
    if changes_at:
        assert curve.score(end - 1) // 10 == shown != curve.score(end) // 10


@given(lines=st.lists(st.tuples(amounts, lives), min_size=1, max_size=4))
def test_a_curve_begins_with_the_score_of_its_lines(
    lines: list[tuple[float, float | None]],
) -> None:
    definition = model(*({"half_life_days": life} for _, life in lines))
    sums = [amount for amount, _ in lines]
    values = [line_value(rule, sums[i]) for i, rule in enumerate(definition.rules)]
    assert Curve(definition, sums).score(0) == total(definition, values)
