"""Working time through changes of the clocks, worked out by hand."""

import pytest

from handoff.business_hours import (
    Span,
    add_working_time,
    is_open,
    next_opening,
    open_windows,
    working_time_between,
)
from tests.handoff.calendars import HOUR, at, day_hours, every_day, office, utc


@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Antarctica/Troll", "2026-03-29", 22),
        ("Asia/Kathmandu", "2026-03-29", 24),
        ("America/Sao_Paulo", "2017-10-15", 23),  # starts at 01:00
        ("Africa/Cairo", "2024-04-26", 23),  # starts at 01:00
        ("Asia/Beirut", "2026-03-29", 23),  # starts at 01:00
        ("America/Havana", "2026-11-01", 25),  # 01:00 back to 00:00
        ("Pacific/Apia", "2011-12-30", 0),  # did not take place
    ],
)
def test_a_day_open_around_the_clock_has_its_real_hours(
    timezone: str, day: str, hours: float
) -> None:
    assert day_hours(day, every_day("00:00-24:00", timezone=timezone)) == hours


def test_hours_follow_the_clock_on_the_wall() -> None:
    """One hour of Friday afternoon and one of Monday morning, in winter and then in summer."""
    due = add_working_time(at("2026-03-27T17:00"), 2 * HOUR, office())

    assert due == utc("2026-03-30T08:00") == at("2026-03-30T10:00")
    assert next_opening(at("2026-03-27T18:00"), office()) == utc("2026-03-30T07:00")


@pytest.mark.parametrize(("evening", "hours"), [("2026-03-28", 7), ("2026-10-24", 9)])
def test_a_night_shift_is_as_long_as_its_night(evening: str, hours: int) -> None:
    calendar = every_day("22:00-06:00")

    start = at(f"{evening}T12:00")

    assert working_time_between(start, start + 24 * HOUR, calendar) == hours * HOUR


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("01:00-02:30", "00:00", "01:00"),  # clocks jump from 02:00 to 03:00 at 01:00 UTC
        ("02:30-04:00", "01:00", "02:00"),
        ("01:30-03:30", "00:30", "01:30"),
    ],
)
def test_a_boundary_that_clocks_skip_is_the_instant_of_the_change(
    window: str, start: str, end: str
) -> None:
    windows = open_windows(utc("2026-03-29T00:00"), utc("2026-03-29T12:00"), every_day(window))

    assert list(windows) == [Span(utc(f"2026-03-29T{start}"), utc(f"2026-03-29T{end}"))]


def test_a_window_that_clocks_skip_has_no_time() -> None:
    assert day_hours("2026-03-29", every_day("02:10-02:50")) == 0


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("01:00-02:30", "2026-10-24T23:00", "2026-10-25T00:30"),  # 03:00 back to 02:00 at 01:00 UTC
        ("02:30-04:00", "2026-10-25T00:30", "2026-10-25T03:00"),
        ("02:10-02:50", "2026-10-25T00:10", "2026-10-25T00:50"),
    ],
)
def test_a_boundary_that_clocks_show_twice_is_the_first(window: str, start: str, end: str) -> None:
    windows = open_windows(utc("2026-10-24T22:00"), utc("2026-10-25T12:00"), every_day(window))

    assert list(windows) == [Span(utc(start), utc(end))]


def test_a_window_does_not_open_again_when_clocks_go_back() -> None:
    calendar = every_day("02:00-02:30")

    assert is_open(at("2026-10-25T02:15", fold=0), calendar)
    assert not is_open(at("2026-10-25T02:15", fold=1), calendar)


def test_a_start_in_the_second_of_two_equal_hours_is_taken_as_it_is() -> None:
    calendar = every_day("00:00-24:00")

    due = add_working_time(at("2026-10-25T02:15", fold=1), HOUR, calendar)

    assert due == utc("2026-10-25T02:15") == at("2026-10-25T03:15")


def test_elapsed_is_real_time_though_both_ends_are_in_one_zone() -> None:
    """Python subtracts and compares two times of one zone by their wall clocks."""
    calendar = every_day("00:00-24:00")
    first, second = at("2026-10-25T02:45", fold=0), at("2026-10-25T02:15", fold=1)

    assert second < first
    assert working_time_between(first, second, calendar) == HOUR / 2


def test_minutes_past_the_hour_of_odd_zones() -> None:
    assert next_opening(utc("2026-05-04T00:00"), office("Asia/Kathmandu")) == utc(
        "2026-05-04T03:15"
    )
    assert next_opening(utc("2026-05-04T06:00"), office("Pacific/Chatham")) == utc(
        "2026-05-04T20:15"
    )


def test_a_day_without_midnight_opens_when_it_starts() -> None:
    calendar = every_day("00:30-02:00", timezone="America/Sao_Paulo")

    windows = open_windows(utc("2017-10-15T00:00"), utc("2017-10-16T00:00"), calendar)

    assert list(windows) == [Span(utc("2017-10-15T03:00"), utc("2017-10-15T04:00"))]


def test_a_holiday_with_two_midnights_is_closed_from_the_first() -> None:
    calendar = every_day("00:00-24:00", timezone="America/Havana", holidays=["2026-11-01"])

    windows = open_windows(utc("2026-10-31T04:00"), utc("2026-11-03T05:00"), calendar)

    assert list(windows) == [
        Span(utc("2026-10-31T04:00"), utc("2026-11-01T04:00")),
        Span(utc("2026-11-02T05:00"), utc("2026-11-03T05:00")),
    ]


def test_a_day_that_never_was_is_no_working_day() -> None:
    """Samoa went from Thursday the 29th to Saturday the 31st of December 2011."""
    calendar = every_day("09:00-18:00", timezone="Pacific/Apia")

    due = add_working_time(at("2011-12-29T17:00", "Pacific/Apia"), 2 * HOUR, calendar)

    assert due == at("2011-12-31T10:00", "Pacific/Apia")


def test_a_night_shift_goes_on_through_a_day_that_never_was() -> None:
    calendar = every_day("22:00-06:00", timezone="Pacific/Apia")

    windows = open_windows(utc("2011-12-30T00:00"), utc("2011-12-31T00:00"), calendar)

    assert list(windows) == [
        Span(at("2011-12-29T22:00", "Pacific/Apia"), at("2011-12-31T06:00", "Pacific/Apia"))
    ]


def test_a_closure_follows_the_clock_on_the_wall() -> None:
    calendar = every_day("00:00-24:00", closures=[["2026-10-25T02:30", "2026-10-25T03:30"]])

    assert day_hours("2026-10-25", calendar) == 23
