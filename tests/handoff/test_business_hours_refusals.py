"""What working time refuses, and with what words."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from handoff.business_hours import (
    EARLIEST,
    LATEST,
    BusinessCalendar,
    CalendarInvalid,
    NoOpening,
    SpanInvalid,
    add_working_time,
    is_open,
    next_opening,
    open_windows,
    parse_calendar,
    to_json,
    working_time_between,
)
from tests.handoff.calendars import HOUR, every_day, office, utc

NAIVE_TIMES = [datetime.fromisoformat(f"{year}-12-31T23:59") for year in ("0001", "2026", "9999")]
BERLIN = {"timezone": "Europe/Berlin"}
OPEN_MONDAYS = {"mon": [["09:00", "18:00"]]}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "calendar: must be an object, not None"),
        ([], "calendar: must be an object, not []"),
        ({}, "calendar: never opens: give a window in weekly or exceptions"),
        ({"weekly": {"mon": []}}, "calendar: never opens: give a window in weekly or exceptions"),
        ({"zone": "UTC"}, "calendar: unknown key 'zone'"),
        ({"weekly": []}, "calendar.weekly: must be an object, not []"),
        (
            {"weekly": {"Monday": []}},
            "calendar.weekly: unknown weekday 'Monday', use mon tue wed thu fri sat sun",
        ),
        ({"weekly": {"mon": "09:00"}}, "calendar.weekly.mon: must be a list, not '09:00'"),
        (
            {"weekly": {"mon": [["09:00", "18:00"], ["19:00"]]}},
            "calendar.weekly.mon[1]: must be a pair of start and end, not ['19:00']",
        ),
        (
            {"weekly": {"mon": [[9, 18]]}},
            "calendar.weekly.mon[0]: must be a pair of start and end, not [9, 18]",
        ),
        (
            {"weekly": {"mon": ["09"]}},
            "calendar.weekly.mon[0]: must be a pair of start and end, not '09'",
        ),
        (
            {"weekly": {"mon": [["09:00", "18:00"]] * 25}},
            "calendar.weekly.mon: holds 25 entries; write at most 24",
        ),
        (
            {"exceptions": {"2026-12-31": [["09:00", "18:00"]] * 100_000}},
            "calendar.exceptions.2026-12-31: holds 100,000 entries; write at most 24",
        ),
        (
            {"exceptions": dict.fromkeys(map(str, range(1001)), ())},
            "calendar.exceptions: holds 1,001 entries; write at most 1,000",
        ),
        (
            {**BERLIN, "weekly": OPEN_MONDAYS, "holidays": ["2026-12-25"] * 1001},
            "calendar.holidays: holds 1,001 entries; write at most 1,000",
        ),
        (
            {**BERLIN, "weekly": OPEN_MONDAYS, "closures": [["2026-12-25", "2026-12-26"]] * 1001},
            "calendar.closures: holds 1,001 entries; write at most 1,000",
        ),
        (
            {"exceptions": {"2026-12-32": []}},
            "calendar.exceptions: '2026-12-32' is not a date such as '2026-12-25'",
        ),
        (
            {"exceptions": {"2026-12-31": [["9", "12"]]}},
            "calendar.exceptions.2026-12-31[0]: '9' is not a time such as '09:00'",
        ),
    ],
)
def test_an_unreadable_calendar_is_refused_with_its_place(source: Any, message: str) -> None:
    with pytest.raises(CalendarInvalid) as refused:
        parse_calendar(source)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    "clock",
    [
        "",
        "9:00",
        "09:60",
        "25:00",
        "24:01",
        "24:00",
        "09:00:00",
        "0900",
        "T09:00",
        "09:00Z",
        "\u0660\u0669:\u0660\u0660",
    ],
)
def test_an_opening_time_that_is_none_is_refused(clock: str) -> None:
    with pytest.raises(CalendarInvalid, match=r"^calendar\.weekly\.mon\[0\]: .* is not a time"):
        parse_calendar(BERLIN | {"weekly": {"mon": [[clock, "18:00"]]}})


@pytest.mark.parametrize(
    "day",
    ["", "25.12.2026", "2026-02-29", "20261225", "2026-W52-5", "2026-12-25T00:00", 20261225, None],
)
def test_a_holiday_that_is_no_date_is_refused(day: Any) -> None:
    with pytest.raises(CalendarInvalid, match=r"^calendar\.holidays\[1\]: .* is not a date"):
        parse_calendar(
            BERLIN | {"weekly": {"mon": [["09:00", "18:00"]]}, "holidays": ["2026-12-25", day]}
        )


@pytest.mark.parametrize(
    "local",
    [
        "",
        "2026-12-24",
        "2026-12-24T12",
        "2026-12-24 12:00",
        "2026-12-24T12:00Z",
        "2026-12-24T12:00+01:00",
        "2026-12-24T24:01",
        "9999-12-31T24:00",
        "2026-02-30T24:00",
    ],
)
def test_a_closure_without_local_times_is_refused(local: str) -> None:
    with pytest.raises(CalendarInvalid, match=r"^calendar\.closures\[0\]: .* is not a "):
        office(closures=[["2026-01-01T00:00", local]])


@pytest.mark.parametrize("end", ["2026-12-24T12:00", "2026-12-24T11:59"])
def test_a_closure_that_ends_before_it_starts_is_refused(end: str) -> None:
    with pytest.raises(
        CalendarInvalid, match=r"^calendar\.closures\[0\]: must end after it starts$"
    ):
        office(closures=[["2026-12-24T12:00", end]])


@pytest.mark.parametrize(
    "name",
    [
        "Mars/Olympus",
        "",
        ".",
        "America",
        "../../../etc/passwd",
        "/etc/passwd",
        "tzdata.zi",
        "a\0b",
        "\ud800",
        "x" * 5000,
    ],
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(CalendarInvalid, match=r"^calendar\.timezone: unknown time zone "):
        office(name)


def test_a_calendar_without_a_zone_is_refused() -> None:
    with pytest.raises(CalendarInvalid, match=r"^calendar\.timezone: must name a zone such as"):
        parse_calendar({"weekly": {"mon": [["09:00", "18:00"]]}})


def test_a_message_quotes_no_more_than_it_needs() -> None:
    with pytest.raises(CalendarInvalid) as refused:
        parse_calendar(BERLIN | {"weekly": ["x" * 1_000_000]})

    assert len(str(refused.value)) < 120


def test_a_calendar_is_written_as_it_is_read() -> None:
    source = {
        "timezone": "Europe/Berlin",
        "weekly": {"mon": [["09:00", "12:00"], ["13:00", "24:00"]], "fri": [["22:00", "06:00"]]},
        "holidays": ["2026-12-25", "2027-01-01"],
        "exceptions": {"2026-12-24": [], "2026-12-31": [["00:00", "12:30"]]},
        "closures": [["2026-12-24T12:00:00", "2026-12-25T00:00:00"]],
    }

    assert to_json(parse_calendar(source)) == source


# -- instants


@pytest.mark.parametrize("moment", NAIVE_TIMES)
def test_naive_times_are_refused(moment: datetime) -> None:
    aware = utc("2026-11-20T12:00")
    for ask in (
        lambda: add_working_time(moment, HOUR, office()),
        lambda: add_working_time(aware, HOUR, office(), [(moment, aware)]),
        lambda: working_time_between(moment, aware, office()),
        lambda: working_time_between(aware, moment, office()),
        lambda: is_open(moment, office()),
        lambda: next_opening(moment, office()),
        lambda: open_windows(aware, moment, office()),
    ):
        with pytest.raises(SpanInvalid, match=r"needs an offset from UTC$"):
            ask()


@pytest.mark.parametrize("year", [1, 1968, 2200, 9999])
@pytest.mark.parametrize("offset", [-14, 0, 14])
def test_years_that_no_lead_lives_in_are_refused(year: int, offset: int) -> None:
    moment = datetime(year, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=offset)))

    with pytest.raises(SpanInvalid, match=r"lies outside of 1970 to 2199$"):
        is_open(moment, office())


def test_the_first_and_the_last_instant_can_be_asked_for() -> None:
    calendar = every_day("00:00-24:00", timezone="UTC")

    elapsed = working_time_between(EARLIEST, LATEST, calendar)

    assert elapsed == LATEST - EARLIEST
    assert add_working_time(EARLIEST, elapsed, calendar) == LATEST
    assert is_open(EARLIEST, calendar)
    assert is_open(LATEST, calendar)


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(SpanInvalid, match=r"^end 2026-11-20T12:00:00\+00:00 lies before start "):
        working_time_between(utc("2026-11-20T12:01"), utc("2026-11-20T12:00"), office())


def test_a_pause_that_ends_before_it_starts_is_refused() -> None:
    now = utc("2026-11-20T12:00")

    with pytest.raises(SpanInvalid, match=r"^pauses\[1\] end .* lies before start "):
        add_working_time(now, HOUR, office(), [(now, now), (now, now - HOUR)])


@pytest.mark.parametrize("duration", [-timedelta.resolution, timedelta.min, timedelta.max])
def test_a_duration_below_zero_or_beyond_all_years_is_refused(duration: timedelta) -> None:
    with pytest.raises(SpanInvalid, match=r"^a duration cannot be negative, nor above 230 years$"):
        add_working_time(utc("2026-11-20T12:00"), duration, office())


# -- no opening


def test_more_work_than_there_are_hours_left_is_refused() -> None:
    with pytest.raises(NoOpening, match=r"^less than .* of opening hours from 2026-11-20T12:00"):
        add_working_time(utc("2026-11-20T12:00"), timedelta(days=50_000), office())


@pytest.mark.parametrize(
    "calendar",
    [
        parse_calendar({"timezone": "UTC", "exceptions": {"2026-11-19": [["09:00", "18:00"]]}}),
        office(closures=[["2026-11-20T00:00", "9999-12-31T00:00"]]),
    ],
)
@pytest.mark.parametrize("duration", [timedelta(0), timedelta(minutes=1)])
def test_a_calendar_that_opens_no_more_is_refused(
    calendar: BusinessCalendar, duration: timedelta
) -> None:
    with pytest.raises(NoOpening):
        add_working_time(utc("2026-11-20T12:00"), duration, calendar)


def test_there_is_no_next_opening_when_all_are_past() -> None:
    calendar = parse_calendar(
        {"timezone": "UTC", "exceptions": {"2026-11-19": [["09:00", "18:00"]]}}
    )

    with pytest.raises(
        NoOpening, match=r"^no opening hours from 2026-11-20T12:00:00\+00:00 to 2200$"
    ):
        next_opening(utc("2026-11-20T12:00"), calendar)


def test_a_clock_that_is_paused_for_good_is_refused() -> None:
    now = utc("2026-11-20T12:00")

    with pytest.raises(NoOpening, match=r"^the clock does not run from "):
        add_working_time(now, HOUR, office(), [(now, LATEST)])
