"""Working time against a walk through every minute, near the clock changes of odd zones."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from handoff.business_hours import (
    add_working_time,
    explain_due,
    is_open,
    next_opening,
    open_windows,
    parse_calendar,
    to_json,
    working_time_between,
)
from tests.handoff.minute_walker import MINUTE, CalendarJson, open_minutes

# Zones, each with the instant of a change in its clocks, or with any instant if it has none.
CHANGES = [
    ("Africa/Cairo", datetime(2024, 4, 25, 22, tzinfo=UTC)),  # midnight is skipped
    ("Africa/Cairo", datetime(2024, 10, 31, 21, tzinfo=UTC)),  # the last hour is repeated
    ("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC)),  # back for Ramadan
    ("America/Havana", datetime(2026, 11, 1, 5, tzinfo=UTC)),  # midnight is repeated
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2017, 10, 15, 3, tzinfo=UTC)),  # midnight is skipped
    ("America/Sao_Paulo", datetime(2018, 2, 18, 2, tzinfo=UTC)),
    ("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)),  # 00:01 back to 23:01
    ("Antarctica/Troll", datetime(2026, 10, 25, 1, tzinfo=UTC)),  # two hours
    ("Asia/Beirut", datetime(2026, 3, 28, 22, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 5, 4, tzinfo=UTC)),  # 5:45
    ("Asia/Pyongyang", datetime(2015, 8, 14, 15, tzinfo=UTC)),  # half an hour back at midnight
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),  # half an hour
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),  # a whole day is skipped
    ("Pacific/Chatham", datetime(2026, 9, 26, 14, tzinfo=UTC)),  # 12:45
    ("UTC", datetime(2026, 12, 31, 23, 59, tzinfo=UTC)),
]
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Case(NamedTuple):
    calendar: CalendarJson
    start: datetime
    end: datetime
    pauses: list[tuple[datetime, datetime]]

    def running_minutes(self) -> list[datetime]:
        return [
            minute
            for minute in open_minutes(self.calendar, self.start, self.end)
            if not any(start <= minute < end for start, end in self.pauses)
        ]


near_change = st.sampled_from(
    ["00:00", "00:01", "00:20", "01:00", "01:45", "02:15", "02:30", "23:30"]
)
clocks = near_change | st.times().map(lambda clock: clock.strftime("%H:%M"))
windows = st.tuples(clocks, clocks | st.just("24:00")).map(list)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    timezone, change = draw(st.sampled_from(CHANGES))

    times = st.integers(-2000, 2000).map(lambda n: change + n * MINUTE)
    days = st.integers(-3, 3).map(lambda n: (change + timedelta(days=n)).date().isoformat())
    stretches = st.tuples(times, st.integers(1, 300)).map(lambda s: (s[0], s[0] + s[1] * MINUTE))
    closures = stretches.map(lambda ends: [end.strftime("%Y-%m-%dT%H:%M") for end in ends])
    calendar: CalendarJson = {
        "timezone": timezone,
        "weekly": draw(
            st.dictionaries(
                st.sampled_from(WEEKDAYS), st.lists(windows, min_size=1, max_size=3), min_size=4
            )
        ),
        "holidays": draw(st.lists(days, max_size=2)),
        "exceptions": draw(st.dictionaries(days, st.lists(windows, max_size=2), max_size=2)),
        "closures": draw(st.lists(closures, max_size=2)),
    }
    start = draw(times)
    end = start + draw(st.integers(720, 2880)) * MINUTE
    return Case(calendar, start, end, draw(st.lists(stretches, max_size=2)))


@settings(deadline=None)
@given(cases())
def test_elapsed_is_the_number_of_running_minutes(case: Case) -> None:
    calendar = parse_calendar(case.calendar)

    elapsed = working_time_between(case.start, case.end, calendar, case.pauses)

    assert elapsed == len(case.running_minutes()) * MINUTE


@settings(deadline=None)
@given(cases(), st.data())
def test_due_is_when_the_last_running_minute_ends(case: Case, data: st.DataObject) -> None:
    running = case.running_minutes()
    assume(running)
    after_each = enumerate(pairwise([*running, datetime.max.replace(tzinfo=UTC)]), start=1)
    before_a_break = [count for count, (this, then) in after_each if then > this + MINUTE]
    count = data.draw(st.sampled_from(before_a_break) | st.integers(1, len(running)))
    calendar = parse_calendar(case.calendar)

    due = add_working_time(case.start, count * MINUTE, calendar, case.pauses)
    half_a_minute_less = add_working_time(case.start, (count - 0.5) * MINUTE, calendar, case.pauses)

    assert due == running[count - 1] + MINUTE
    assert half_a_minute_less == running[count - 1] + MINUTE / 2


@settings(deadline=None)
@given(cases())
def test_nothing_is_due_when_the_clock_starts_to_run(case: Case) -> None:
    running = case.running_minutes()
    assume(running)

    due = add_working_time(case.start, timedelta(0), parse_calendar(case.calendar), case.pauses)

    assert due == running[0]


@settings(deadline=None)
@given(cases())
def test_open_windows_hold_the_running_minutes_and_no_other(case: Case) -> None:
    calendar = parse_calendar(case.calendar)

    spans = list(open_windows(case.start, case.end, calendar, case.pauses))

    assert [
        span.start + n * MINUTE for span in spans for n in range(round(span.minutes))
    ] == case.running_minutes()
    assert all(before.end < after.start for before, after in pairwise(spans))


@settings(deadline=None)
@given(cases())
def test_open_and_next_opening_agree_with_the_minutes(case: Case) -> None:
    calendar = parse_calendar(case.calendar)
    opened = list(open_minutes(case.calendar, case.start, case.end + MINUTE))
    assume(opened)

    assert is_open(case.start, calendar) == (opened[0] == case.start)
    assert next_opening(case.start, calendar) == opened[0]
    assert is_open(case.end, calendar) == (opened[-1] == case.end)


@settings(deadline=None)
@given(cases(), st.data())
def test_steps_add_up_to_the_duration_and_end_when_it_is_due(
    case: Case, data: st.DataObject
) -> None:
    running = case.running_minutes()
    assume(running)
    duration = data.draw(st.timedeltas(timedelta.resolution, len(running) * MINUTE))
    calendar = parse_calendar(case.calendar)

    due = add_working_time(case.start, duration, calendar, case.pauses)
    steps = explain_due(case.start, duration, calendar, case.pauses)

    assert sum((end - start for start, end in steps), start=timedelta(0)) == duration
    assert steps[-1].end == due
    assert working_time_between(case.start, due, calendar, case.pauses) == duration


@settings(deadline=None)
@given(cases())
def test_a_calendar_survives_json(case: Case) -> None:
    calendar = parse_calendar(case.calendar)

    assert parse_calendar(to_json(calendar)) == calendar
