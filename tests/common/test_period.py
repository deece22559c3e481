"""Periods: half-open in the viewer's zone, named or between two dates."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crm.common.period import Period, PeriodInvalid, months_before, period_from

NOW = datetime(2026, 5, 12, 22, 30, tzinfo=UTC)  # 13 May 00:30 in Berlin


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", date(2026, 5, 13), date(2026, 5, 13)),
        ("7d", date(2026, 5, 7), date(2026, 5, 13)),
        ("month", date(2026, 5, 1), date(2026, 5, 13)),
        ("quarter", date(2026, 3, 1), date(2026, 5, 13)),
        ("year", date(2025, 6, 1), date(2026, 5, 13)),
    ],
)
def test_named_periods_end_on_the_viewers_today(name: str, first: date, last: date) -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        period = period_from({"period": name}, now=NOW, default="month")
    assert (period.first, period.last, period.name) == (first, last, name)


def test_a_period_spans_whole_local_days() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        period = Period(date(2026, 3, 28), date(2026, 3, 29))  # the clocks go forward on the 29th
        assert period.start == datetime(2026, 3, 27, 23, 0, tzinfo=UTC)
        assert period.end == datetime(2026, 3, 29, 22, 0, tzinfo=UTC)


def test_the_period_before_ends_where_this_one_begins() -> None:
    period = Period(date(2026, 5, 1), date(2026, 5, 12))
    assert period.before() == Period(date(2026, 4, 19), date(2026, 4, 30))
    assert period.before().end == period.start


def test_months_are_counted_across_years() -> None:
    assert months_before(date(2026, 1, 1), 1) == date(2025, 12, 1)
    assert months_before(date(2026, 5, 1), 17) == date(2024, 12, 1)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"period": "eon"}, "no period 'eon'"),
        ({"from": "2026-05-01"}, "both dates"),
        ({"from": "x", "to": "2026-05-01"}, "both dates"),
        ({"from": "2026-05-02", "to": "2026-05-01"}, "ends before it starts"),
        ({"from": "0001-01-01", "to": "2026-05-01"}, "between 1900 and 2200"),
        ({"from": "2026-05-01", "to": "9999-12-31"}, "between 1900 and 2200"),
    ],
)
def test_dates_that_make_no_period_are_refused(query: dict[str, str], words: str) -> None:
    with pytest.raises(PeriodInvalid, match=words):
        period_from(query, now=NOW, default="month")


@pytest.mark.parametrize(
    ("first", "last", "label"),
    [
        (date(2026, 5, 12), date(2026, 5, 12), "12 May 2026"),
        (date(2026, 5, 1), date(2026, 5, 31), "1–31 May 2026"),
        (date(2026, 3, 1), date(2026, 5, 31), "1 Mar – 31 May 2026"),
        (date(2025, 12, 1), date(2026, 1, 31), "1 Dec 2025 – 31 Jan 2026"),
    ],
)
def test_a_period_is_written_as_people_write_it(first: date, last: date, label: str) -> None:
    assert Period(first, last).label == label


def test_a_period_is_named_again_by_its_parameters() -> None:
    named = period_from({"period": "7d"}, now=NOW, default="month")
    custom = Period(date(2026, 5, 1), date(2026, 5, 3))
    for period in (named, custom):
        assert period_from(period.parameters, now=NOW, default="month") == period
