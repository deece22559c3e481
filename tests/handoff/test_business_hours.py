"""Answers worked out by hand, for every convention of working time."""

from datetime import UTC, date, timedelta

import pytest

from handoff.business_hours import (
    Span,
    add_working_time,
    explain_due,
    is_open,
    next_opening,
    open_windows,
    parse_calendar,
    working_time_between,
)
from tests.handoff.calendars import HOUR, at, day_hours, every_day, office, utc

NOTHING = timedelta(0)


# -- due


def test_two_hours_from_saturday_afternoon_are_due_on_monday_at_eleven() -> None:
    due = add_working_time(at("2026-11-21T15:00"), 2 * HOUR, office())

    assert due == at("2026-11-23T11:00")


def test_what_is_left_over_on_friday_goes_on_after_the_weekend() -> None:
    steps = explain_due(at("2026-11-20T17:10"), 2 * HOUR, office())

    assert steps == (
        Span(at("2026-11-20T17:10"), at("2026-11-20T18:00")),
        Span(at("2026-11-23T09:00"), at("2026-11-23T10:10")),
    )
    assert [step.minutes for step in steps] == [50, 70]


def test_what_fills_the_day_is_due_at_closing_time() -> None:
    assert add_working_time(at("2026-11-20T16:00"), 2 * HOUR, office()) == at("2026-11-20T18:00")


def test_one_microsecond_more_is_due_after_the_next_opening() -> None:
    moment = timedelta(microseconds=1)

    due = add_working_time(at("2026-11-20T16:00"), 2 * HOUR + moment, office())

    assert due == at("2026-11-23T09:00") + moment


def test_a_break_does_not_count() -> None:
    calendar = every_day("09:00-12:00", "13:00-18:00")

    assert add_working_time(at("2026-11-20T11:30"), HOUR, calendar) == at("2026-11-20T13:30")


def test_zero_minutes_in_opening_hours_are_due_at_once() -> None:
    assert add_working_time(at("2026-11-20T17:59"), NOTHING, office()) == at("2026-11-20T17:59")


@pytest.mark.parametrize("start", ["2026-11-20T18:00", "2026-11-21T15:00", "2026-11-23T09:00"])
def test_zero_minutes_outside_opening_hours_are_due_at_the_next_opening(start: str) -> None:
    assert add_working_time(at(start), NOTHING, office()) == at("2026-11-23T09:00")
    assert explain_due(at(start), NOTHING, office()) == ()


def test_fractions_of_minutes_count() -> None:
    due = add_working_time(at("2026-11-20T17:59:30.5"), timedelta(minutes=0.75), office())

    assert due == at("2026-11-23T09:00:15.5")


def test_the_zone_of_the_start_does_not_matter_and_the_due_time_is_in_utc() -> None:
    due = add_working_time(at("2026-11-20T09:00", "America/New_York"), 4 * HOUR, office())

    assert due == utc("2026-11-23T09:00")
    assert due.tzinfo is UTC


def test_years_of_work_are_due_after_as_many_working_days() -> None:
    start = date(2026, 1, 1)
    days = [start + timedelta(days=n) for n in range(20 * 366)]
    working_days = [day for day in days if day.weekday() < 5]

    due = add_working_time(at("2026-01-01T00:00"), 5000 * 9 * HOUR, office())

    assert due == at(f"{working_days[4999]}T18:00")


# -- elapsed


def test_a_weekend_has_no_working_time() -> None:
    elapsed = working_time_between(at("2026-11-20T17:30"), at("2026-11-23T09:00"), office())

    assert elapsed == HOUR / 2


def test_no_time_passes_between_an_instant_and_itself() -> None:
    now = at("2026-11-20T12:00")

    assert working_time_between(now, now, office()) == NOTHING


def test_twenty_years_hold_the_hours_of_their_working_days() -> None:
    days = [date(2006, 5, 3) + timedelta(days=n) for n in range(7305)]
    working_days = sum(day.weekday() < 5 for day in days)

    elapsed = working_time_between(at("2006-05-03T00:00"), at("2026-05-03T00:00"), office())

    assert elapsed == working_days * 9 * HOUR


def test_a_calendar_that_never_closes_loses_no_minute_in_twenty_years() -> None:
    start, end = at("2006-05-03T04:05:06"), at("2026-11-21T15:00")

    elapsed = working_time_between(start, end, every_day("00:00-24:00"))

    assert elapsed == end.astimezone(UTC) - start.astimezone(UTC)


def test_overlapping_windows_count_once() -> None:
    calendar = every_day("09:00-12:00", "11:00-13:00", "10:00-10:30", "09:00-12:00")

    assert day_hours("2026-11-20", calendar) == 4


# -- open, openings and windows


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("08:59:59.999999", False), ("09:00", True), ("17:59:59.999999", True), ("18:00", False)],
)
def test_opening_time_is_open_and_closing_time_is_not(clock: str, expected: bool) -> None:
    assert is_open(at(f"2026-11-20T{clock}"), office()) is expected


def test_a_window_that_ends_at_midnight_is_open_to_the_last_moment_of_the_day() -> None:
    calendar = parse_calendar({"timezone": "UTC", "weekly": {"sat": [["18:00", "24:00"]]}})

    assert is_open(utc("2026-11-21T23:59:59.999999"), calendar)
    assert not is_open(utc("2026-11-22T00:00"), calendar)


def test_the_next_opening_is_now_while_open() -> None:
    assert next_opening(at("2026-11-20T12:00"), office()) == at("2026-11-20T12:00")
    assert next_opening(at("2026-11-20T18:00"), office()) == at("2026-11-23T09:00")


def test_windows_are_cut_to_the_span_and_joined_where_they_touch() -> None:
    calendar = every_day("22:00-06:00", "06:00-08:00", timezone="UTC")

    windows = list(open_windows(utc("2026-12-31T12:00"), utc("2027-01-01T23:00"), calendar))

    assert windows == [
        Span(utc("2026-12-31T22:00"), utc("2027-01-01T08:00")),
        Span(utc("2027-01-01T22:00"), utc("2027-01-01T23:00")),
    ]


# -- windows past midnight


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    calendar = parse_calendar({"timezone": "UTC", "weekly": {"fri": [["22:00", "06:00"]]}})

    windows = list(open_windows(utc("2026-11-16T00:00"), utc("2026-11-23T00:00"), calendar))

    assert windows == [Span(utc("2026-11-20T22:00"), utc("2026-11-21T06:00"))]


def test_a_window_that_ends_when_it_starts_lasts_a_day() -> None:
    calendar = parse_calendar({"timezone": "UTC", "weekly": {"fri": [["09:00", "09:00"]]}})

    windows = list(open_windows(utc("2026-11-16T00:00"), utc("2026-11-23T00:00"), calendar))

    assert windows == [Span(utc("2026-11-20T09:00"), utc("2026-11-21T09:00"))]


def test_a_holiday_ends_the_night_shift_of_its_eve_and_has_none_itself() -> None:
    calendar = every_day("22:00-06:00", timezone="UTC", holidays=["2026-12-25"])

    windows = list(open_windows(utc("2026-12-24T12:00"), utc("2026-12-27T00:00"), calendar))

    assert windows == [
        Span(utc("2026-12-24T22:00"), utc("2026-12-25T00:00")),
        Span(utc("2026-12-26T22:00"), utc("2026-12-27T00:00")),
    ]


def test_an_exception_keeps_the_night_shift_of_its_eve() -> None:
    calendar = every_day("22:00-06:00", timezone="UTC", exceptions={"2026-12-25": []})

    windows = list(open_windows(utc("2026-12-24T12:00"), utc("2026-12-27T00:00"), calendar))

    assert windows == [
        Span(utc("2026-12-24T22:00"), utc("2026-12-25T06:00")),
        Span(utc("2026-12-26T22:00"), utc("2026-12-27T00:00")),
    ]


# -- special days


def test_a_holiday_is_closed() -> None:
    calendar = office(holidays=["2026-12-25"])

    assert add_working_time(at("2026-12-24T17:00"), 2 * HOUR, calendar) == at("2026-12-28T10:00")


def test_an_exception_replaces_the_windows_of_its_day() -> None:
    calendar = office(
        exceptions={"2026-12-31": [["10:00", "12:00"]], "2027-01-02": [["10:00", "11:00"]]}
    )

    assert day_hours("2026-12-31", calendar) == 2
    assert day_hours("2027-01-02", calendar) == 1


def test_an_exception_opens_a_holiday_but_not_to_the_night_shift_of_its_eve() -> None:
    calendar = every_day(
        "22:00-06:00",
        timezone="UTC",
        holidays=["2026-12-25"],
        exceptions={"2026-12-25": [["10:00", "12:00"]]},
    )

    windows = list(open_windows(utc("2026-12-24T12:00"), utc("2026-12-26T12:00"), calendar))

    assert windows == [
        Span(utc("2026-12-24T22:00"), utc("2026-12-25T00:00")),
        Span(utc("2026-12-25T10:00"), utc("2026-12-25T12:00")),
    ]


def test_closures_close_the_clock_on_the_wall_and_may_overlap() -> None:
    calendar = office(
        closures=[
            ["2026-11-19T16:00", "2026-11-20T10:00"],
            ["2026-11-20T09:30", "2026-11-20T11:00"],
            ["2026-11-20T17:00", "2026-11-20T24:00"],
        ]
    )

    assert day_hours("2026-11-19", calendar) == 7
    assert day_hours("2026-11-20", calendar) == 6


def test_a_closure_may_outlast_every_calendar() -> None:
    calendar = office(
        closures=[
            ["0001-01-01T00:00", "2026-11-20T12:00"],
            ["2026-11-23T12:00", "9999-12-31T23:59"],
        ]
    )

    assert next_opening(at("1999-01-01T00:00"), calendar) == at("2026-11-20T12:00")
    assert (
        working_time_between(at("1999-01-01T00:00"), at("2100-01-01T00:00"), calendar) == 9 * HOUR
    )


# -- pauses


def test_a_pause_stops_the_clock() -> None:
    pauses = [(at("2026-11-20T10:00"), at("2026-11-20T11:00"))]

    assert add_working_time(at("2026-11-20T09:30"), HOUR, office(), pauses) == at(
        "2026-11-20T11:30"
    )
    assert (
        working_time_between(at("2026-11-20T09:00"), at("2026-11-20T18:00"), office(), pauses)
        == 8 * HOUR
    )


def test_what_is_done_when_a_pause_starts_is_due_then() -> None:
    pauses = [(at("2026-11-20T10:00"), at("2026-11-20T11:00"))]

    assert add_working_time(at("2026-11-20T09:00"), HOUR, office(), pauses) == at(
        "2026-11-20T10:00"
    )


def test_zero_minutes_in_a_pause_are_due_when_it_ends() -> None:
    pauses = [(at("2026-11-20T10:00"), at("2026-11-20T11:00"))]

    assert add_working_time(at("2026-11-20T10:00"), NOTHING, office(), pauses) == at(
        "2026-11-20T11:00"
    )


def test_pauses_that_overlap_stop_the_clock_once_in_any_order() -> None:
    pauses = [
        (at("2026-11-20T12:00"), at("2026-11-20T14:00")),
        (at("2026-11-20T10:00"), at("2026-11-20T13:00")),
        (at("2026-11-20T10:30"), at("2026-11-20T10:30")),
        (at("2026-11-20T17:00"), at("2026-11-23T10:00")),
    ]

    steps = explain_due(at("2026-11-20T09:00"), 5 * HOUR, office(), pauses)

    assert steps == (
        Span(at("2026-11-20T09:00"), at("2026-11-20T10:00")),
        Span(at("2026-11-20T14:00"), at("2026-11-20T17:00")),
        Span(at("2026-11-23T10:00"), at("2026-11-23T11:00")),
    )


def test_a_pause_of_no_length_changes_nothing() -> None:
    now = at("2026-11-20T10:00")

    steps = explain_due(at("2026-11-20T09:00"), 2 * HOUR, office(), [(now, now)])

    assert steps == (Span(at("2026-11-20T09:00"), at("2026-11-20T11:00")),)
