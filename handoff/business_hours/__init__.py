"""Working time: what a business calendar leaves of the time between two instants.

Pure and exact to the microsecond. All intervals are half-open. Results are in UTC, because
Python subtracts two times of one zone by their wall clocks, an hour off across a clock change.

Conventions, all our choice:

- Hours follow the wall clock, minutes are real minutes: a spring day open 00:00-24:00 has 23 h. A
  boundary that occurs twice is its first occurrence; one that a clock change skips is the change.
- A window whose end is at or before its start runs past midnight and belongs to the day on which
  it opens. Windows that overlap count once. Days that are not named are closed.
- A holiday closes its local day: its own windows do not open, and one from the evening before ends
  at midnight.
- An exception replaces the windows of its day, also on a holiday. A window from the evening before
  runs on into it, unless the day is a holiday too.
- Closures close a stretch of the local wall clock, pauses a stretch of real time.
"""

from handoff.business_hours.arithmetic import (
    EARLIEST,
    LATEST,
    NoOpening,
    Pauses,
    SpanInvalid,
    add_working_time,
    explain_due,
    is_open,
    next_opening,
    open_windows,
    working_time_between,
)
from handoff.business_hours.calendars import (
    BusinessCalendar,
    CalendarInvalid,
    Closure,
    Window,
    check_windows_apart,
    parse_calendar,
    shown,
    to_json,
)
from handoff.business_hours.openings import Span

__all__ = [
    "EARLIEST",
    "LATEST",
    "BusinessCalendar",
    "CalendarInvalid",
    "Closure",
    "NoOpening",
    "Pauses",
    "Span",
    "SpanInvalid",
    "Window",
    "add_working_time",
    "check_windows_apart",
    "explain_due",
    "is_open",
    "next_opening",
    "open_windows",
    "parse_calendar",
    "shown",
    "to_json",
    "working_time_between",
]
