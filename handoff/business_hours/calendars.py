"""What a business calendar says, and the JSON that people write it in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(hours=24)

#: Windows of one day, and holidays, exceptions or closures of one calendar. Our choice: more is no
#: calendar that people keep, and each of them costs time in every answer.
MOST_WINDOWS = 24
MOST_DAYS = 1000

_FIELDS = ("timezone", "weekly", "holidays", "exceptions", "closures")
_MIDNIGHT_AT_THE_END = "24:00"


class CalendarInvalid(ValueError):
    """A calendar that cannot be read; the message starts with the path of the culprit."""

    def __init__(self, path: str, problem: str) -> None:
        """Name the culprit as in ``calendar.weekly.mon[0]``, and what is wrong with it."""
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


class Window(NamedTuple):
    """Opening hours of one day on the wall clock, as spans after its midnight; half-open.

    ``opens`` is below 24 h. ``closes`` is later by at most 24 h, and may lie on the next day.
    """

    opens: timedelta
    closes: timedelta


class Closure(NamedTuple):
    """A closed stretch of the local wall clock, half-open; both ends are naive."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """When one team or person works; ``weekly`` has seven entries, Monday first.

    Sets, because they remember their hash: the cache of timetables is keyed by the calendar.
    """

    timezone: ZoneInfo
    weekly: tuple[tuple[Window, ...], ...]
    holidays: frozenset[date] = frozenset()
    exceptions: frozenset[tuple[date, tuple[Window, ...]]] = frozenset()
    closures: frozenset[Closure] = frozenset()


def parse_calendar(source: object) -> BusinessCalendar:
    """Read a calendar from decoded JSON.

    Only ``timezone`` must be there, and one window at least, under ``weekly`` or ``exceptions``.
    Times are ``HH:MM`` from ``00:00`` to ``23:59``, the end of a window or closure also ``24:00``.

    Raises:
        CalendarInvalid: Unknown key, zone or weekday, malformed time, no window at all, or more
            than ``MOST_WINDOWS`` a day or ``MOST_DAYS`` of a kind.
    """
    fields = dict(_entries(source, "calendar"))
    for key in fields:
        if key not in _FIELDS:
            raise CalendarInvalid("calendar", f"unknown key {shown(key)}")
    weekly = _parse_weekly(fields.get("weekly", {}))
    exceptions = _parse_exceptions(fields.get("exceptions", {}))
    if not any(weekly) and not any(windows for _, windows in exceptions):
        raise CalendarInvalid("calendar", "never opens: give a window in weekly or exceptions")
    return BusinessCalendar(
        timezone=_parse_timezone(fields.get("timezone")),
        weekly=weekly,
        holidays=frozenset(
            _parse_date(item, path)
            for path, item in _items(fields.get("holidays", []), "calendar.holidays", MOST_DAYS)
        ),
        exceptions=exceptions,
        closures=frozenset(
            _parse_closure(item, path)
            for path, item in _items(fields.get("closures", []), "calendar.closures", MOST_DAYS)
        ),
    )


def check_windows_apart(calendar: BusinessCalendar) -> None:
    """See that no windows of the week, or of an exception, overlap, across midnight included.

    Windows that touch are apart. Elsewhere an overlap counts once; people who write a calendar are
    told of it, since they meant something else.

    Raises:
        CalendarInvalid: two windows overlap.
    """
    tomorrow = (*calendar.weekly[1:], calendar.weekly[0])
    for day, windows, following in zip(WEEKDAYS, calendar.weekly, tomorrow, strict=True):
        _check_apart(windows, following, f"calendar.weekly.{day}")
    for date_, windows in sorted(calendar.exceptions):
        _check_apart(windows, (), f"calendar.exceptions.{date_.isoformat()}")


def _check_apart(windows: tuple[Window, ...], following: tuple[Window, ...], path: str) -> None:
    later = [Window(opens + DAY, closes + DAY) for opens, closes in following]
    spans = sorted([*windows, *later])
    for first, second in pairwise(spans):
        if second.opens < first.closes:
            pair = " and ".join("-".join(each) for each in _windows_to_json((first, second)))
            raise CalendarInvalid(path, f"{pair} overlap: make one window of them")


def to_json(calendar: BusinessCalendar) -> dict[str, Any]:
    """Write ``calendar`` so that ``parse_calendar`` reads the same one back."""
    return {
        "timezone": calendar.timezone.key,
        "weekly": {
            day: _windows_to_json(windows)
            for day, windows in zip(WEEKDAYS, calendar.weekly, strict=True)
            if windows
        },
        "holidays": [day.isoformat() for day in sorted(calendar.holidays)],
        "exceptions": {
            day.isoformat(): _windows_to_json(windows)
            for day, windows in sorted(calendar.exceptions)
        },
        "closures": [
            [start.isoformat(), end.isoformat()] for start, end in sorted(calendar.closures)
        ],
    }


def shown(value: object) -> str:
    """Quote ``value`` for an error message, short enough to stay readable."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _entries(value: object, path: str) -> Iterator[tuple[str, object]]:
    if not isinstance(value, Mapping):
        raise CalendarInvalid(path, f"must be an object, not {shown(value)}")
    yield from value.items()


def _items(value: object, path: str, most: int) -> Iterator[tuple[str, object]]:
    if not isinstance(value, list | tuple):
        raise CalendarInvalid(path, f"must be a list, not {shown(value)}")
    _check_size(len(value), path, most)
    for index, item in enumerate(value):
        yield f"{path}[{index}]", item


def _check_size(size: int, path: str, most: int) -> None:
    if size > most:
        raise CalendarInvalid(path, f"holds {size:,} entries; write at most {most:,}")


def _pair(value: object, path: str) -> tuple[str, str]:
    match value:
        case [str(start), str(end)]:
            return start, end
    raise CalendarInvalid(path, f"must be a pair of start and end, not {shown(value)}")


def _parse_timezone(value: object) -> ZoneInfo:
    path = "calendar.timezone"
    if not isinstance(value, str):
        raise CalendarInvalid(path, "must name a zone such as 'Europe/Berlin'")
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # not found, malformed, a folder of zones
        raise CalendarInvalid(
            path, f"unknown time zone {shown(value)}, name one such as 'Europe/Berlin'"
        ) from None


def _parse_weekly(value: object) -> tuple[tuple[Window, ...], ...]:
    days: dict[str, tuple[Window, ...]] = {}
    for day, windows in _entries(value, "calendar.weekly"):
        if day not in WEEKDAYS:
            raise CalendarInvalid(
                "calendar.weekly", f"unknown weekday {shown(day)}, use {' '.join(WEEKDAYS)}"
            )
        days[day] = _parse_windows(windows, f"calendar.weekly.{day}")
    return tuple(days.get(day, ()) for day in WEEKDAYS)


def _parse_exceptions(value: object) -> frozenset[tuple[date, tuple[Window, ...]]]:
    path = "calendar.exceptions"
    days = dict(_entries(value, path))
    _check_size(len(days), path, MOST_DAYS)
    return frozenset(
        (_parse_date(day, path), _parse_windows(windows, f"{path}.{day}"))
        for day, windows in days.items()
    )


def _parse_windows(value: object, path: str) -> tuple[Window, ...]:
    items = _items(value, path, MOST_WINDOWS)
    return tuple(_parse_window(item, item_path) for item_path, item in items)


def _parse_window(value: object, path: str) -> Window:
    start, end = _pair(value, path)
    opens = _parse_clock(start, path)
    closes = DAY if end == _MIDNIGHT_AT_THE_END else _parse_clock(end, path)
    return Window(opens, closes if closes > opens else closes + DAY)


def _parse_clock(text: str, path: str) -> timedelta:
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        clock = None
    if clock is None or clock.isoformat("minutes") != text:
        raise CalendarInvalid(path, f"{shown(text)} is not a time such as '09:00'")
    return timedelta(hours=clock.hour, minutes=clock.minute)


def _parse_date(value: object, path: str) -> date:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != value:
        raise CalendarInvalid(path, f"{shown(value)} is not a date such as '2026-12-25'")
    return day


def _parse_closure(value: object, path: str) -> Closure:
    start, end = (_parse_local(text, path) for text in _pair(value, path))
    if end <= start:
        raise CalendarInvalid(path, "must end after it starts")
    return Closure(start, end)


def _parse_local(text: str, path: str) -> datetime:
    day, _, clock = text.partition("T")
    try:
        if clock == _MIDNIGHT_AT_THE_END:
            return datetime.combine(_parse_date(day, path), time()) + DAY
        local = datetime.fromisoformat(text)
    except (ValueError, OverflowError):  # malformed, the end of the last year
        local = None
    if (
        local is None
        or local.tzinfo
        or text not in (local.isoformat(), local.isoformat("T", "minutes"))
    ):
        raise CalendarInvalid(
            path, f"{shown(text)} is not a local time such as '2026-12-24T12:00', without offset"
        )
    return local


def _windows_to_json(windows: tuple[Window, ...]) -> list[list[str]]:
    return [[clock_text(opens), clock_text(closes)] for opens, closes in windows]


def clock_text(clock: timedelta) -> str:
    """Return a span after midnight as a clock shows it; the end of the day is 24:00."""
    hours, minutes = divmod((clock if clock <= DAY else clock % DAY) // timedelta(minutes=1), 60)
    return f"{hours:02}:{minutes:02}"
