"""Which times are taken from outside: the years in between, plans up to two years ahead."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from crm.common.criteria import ValueInvalid
from crm.common.criteria.values import moment
from crm.common.instants import (
    PLANNED_WITHIN,
    InstantInvalid,
    check_instant,
    day_problem,
    instant_problem,
    plan_day_problem,
    plan_problem,
)

NOW = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
WEST, EAST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("at", "is_fine"),
    [
        (datetime(1900, 1, 1, tzinfo=UTC), True),
        (datetime(2200, 12, 31, 23, 59, tzinfo=UTC), True),
        (datetime(1900, 1, 1, tzinfo=EAST), False),
        (datetime(2200, 12, 31, 23, 59, tzinfo=WEST), False),
        (datetime.min.replace(tzinfo=EAST), False),
        (datetime.max.replace(tzinfo=WEST), False),
    ],
)
def test_an_instant_lies_in_the_years_that_are_known(at: datetime, is_fine: bool) -> None:
    assert instant_problem(at) == ("" if is_fine else "Give a time between 1900 and 2200.")


def test_what_cannot_be_kept_is_refused() -> None:
    check_instant(NOW)
    with pytest.raises(InstantInvalid, match="between 1900 and 2200"):
        check_instant(datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("at", "is_fine"),
    [
        (NOW, False),
        (NOW + TICK, True),
        (NOW + PLANNED_WITHIN, True),
        (NOW + PLANNED_WITHIN + TICK, False),
        (datetime.min.replace(tzinfo=EAST), False),
        (datetime.max.replace(tzinfo=WEST), False),
    ],
)
def test_a_plan_lies_within_two_years(at: datetime, is_fine: bool) -> None:
    said = "" if is_fine else "Give a time between now and two years from now."
    assert plan_problem(at, now=NOW) == said


@pytest.mark.parametrize(
    ("day", "is_fine"),
    [
        (date(2026, 5, 12), False),
        (date(2026, 5, 13), True),
        (date(2028, 5, 12), True),
        (date(2028, 5, 13), False),
    ],
)
def test_a_planned_day_lies_within_two_years(day: date, is_fine: bool) -> None:
    said = "" if is_fine else "Give a date between tomorrow and two years from now."
    assert plan_day_problem(day, today=NOW.date()) == said


@pytest.mark.parametrize(
    ("day", "is_fine"),
    [(date.min, False), (date(1900, 1, 1), True), (date(2200, 12, 31), True), (date.max, False)],
)
def test_a_day_lies_in_the_years_that_are_known(day: date, is_fine: bool) -> None:
    assert day_problem(day) == ("" if is_fine else "Give a date between 1900 and 2200.")


def test_a_filter_takes_its_time_in_utc_since_the_database_takes_no_far_offset() -> None:
    assert moment("2026-05-12T23:00+23:59") == datetime(2026, 5, 11, 23, 1, tzinfo=UTC)
    assert moment("2026-05-12T23:00+23:59").tzinfo is UTC


@pytest.mark.parametrize("text", ["1900-01-01T00:00+23:59", "2200-12-31T23:59-23:59", "0001-01-01"])
def test_a_filter_refuses_times_of_other_years(text: str) -> None:
    with pytest.raises(ValueInvalid, match="needs a date"):
        moment(text)
