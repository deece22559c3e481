"""Geometry of the two pictures with a time axis: the split clock and the day rail. Pure.

Positions are percentages of the picture's width, as numbers for SVG attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crm.common.ui.badges import ClockState
from crm.common.ui.words import duration


class SegmentKind(StrEnum):
    """Who had the time; the value is its class in the style sheet."""

    SYSTEM = "system"
    UNASSIGNED = "unassigned"
    HOLDER_A = "holder-a"
    HOLDER_B = "holder-b"
    OUTSIDE = "outside"
    EXCUSED = "excused"

    @property
    def caption(self) -> str:
        """Its name in the legend."""
        return _SEGMENT_CAPTIONS[self]

    @property
    def is_textured(self) -> bool:
        """Whether it is filled with a texture of ``ui/_patterns.html`` instead of a colour."""
        return self in _TEXTURED


_SEGMENT_CAPTIONS = {
    SegmentKind.SYSTEM: "System",
    SegmentKind.UNASSIGNED: "Unassigned",
    SegmentKind.HOLDER_A: "Holder A",
    SegmentKind.HOLDER_B: "Holder B",
    SegmentKind.OUTSIDE: "Outside hours",
    SegmentKind.EXCUSED: "Excused",
}
_TEXTURED = {SegmentKind.UNASSIGNED, SegmentKind.OUTSIDE, SegmentKind.EXCUSED}


@dataclass(frozen=True, slots=True)
class ClockSegment:
    """A stretch of wall-clock time between hand-raise and first touch; ``name`` is its holder."""

    kind: SegmentKind
    started_at: datetime
    ended_at: datetime
    name: str = ""

    @property
    def span(self) -> timedelta:
        """Wall-clock time of the segment."""
        return self.ended_at - self.started_at

    @property
    def title(self) -> str:
        """Who had how much: ``Tomas Orlind 29 min``."""
        return f"{self.name or self.kind.caption} {duration(self.span)}"


@dataclass(frozen=True, slots=True)
class Placed:
    """A stretch or point on the axis, with what to draw there. ``x`` and ``width`` in percent."""

    x: float
    width: float
    kind: str
    title: str = ""
    target: str = ""
    is_textured: bool = False


def place_segments(
    segments: Sequence[ClockSegment], due_at: datetime | None
) -> tuple[list[Placed], float | None]:
    """Lay the segments out to scale and find the due time among them; None when it lies outside."""
    if not segments:
        return [], None
    axis = _Axis(segments[0].started_at, segments[-1].ended_at)
    placed = [
        Placed(
            x=axis.at(s.started_at),
            width=axis.width(s.started_at, s.ended_at),
            kind=s.kind,
            title=s.title,
            is_textured=s.kind.is_textured,
        )
        for s in segments
    ]
    is_inside = due_at is not None and axis.start <= due_at <= axis.end
    return placed, axis.at(due_at) if due_at is not None and is_inside else None


@dataclass(frozen=True, slots=True)
class RailMark:
    """A due time of today; a click moves to the row with the id ``row``."""

    state: ClockState
    at: datetime
    row: str
    title: str


@dataclass(frozen=True, slots=True)
class DayRail:
    """A rep's working day.

    Attributes:
        windows: Working windows of the day in order, in the reader's time zone; at least one.
        now: The moment of reading.
        marks: Due times of the day.
    """

    windows: Sequence[tuple[datetime, datetime]]
    now: datetime
    marks: Sequence[RailMark]

    @property
    def axis(self) -> _Axis:
        """From the first opening to the last closing."""
        return _Axis(self.windows[0][0], self.windows[-1][1])

    def placed_windows(self) -> list[Placed]:
        """Return the working windows."""
        return [Placed(self.axis.at(a), self.axis.width(a, b), "window") for a, b in self.windows]

    def placed_breaks(self) -> list[Placed]:
        """Return the gaps between the windows."""
        gaps = [(a[1], b[0]) for a, b in zip(self.windows, self.windows[1:], strict=False)]
        return [Placed(self.axis.at(a), self.axis.width(a, b), "break") for a, b in gaps]

    def placed_marks(self) -> list[Placed]:
        """Return the due times that lie within the day."""
        inside = [mark for mark in self.marks if self.axis.start <= mark.at <= self.axis.end]
        return [Placed(self.axis.at(m.at), 0, m.state, m.title, m.row) for m in inside]

    def hours(self) -> list[Placed]:
        """Return the full hours of the day, titled as the axis shows them."""
        first = self.axis.start.replace(minute=0, second=0, microsecond=0)
        count = int((self.axis.end - first) / timedelta(hours=1)) + 1
        moments = [first + timedelta(hours=hour) for hour in range(count)]
        return [
            Placed(self.axis.at(m), 0, "hour", f"{m:%H}") for m in moments if m >= self.axis.start
        ]

    @property
    def now_at(self) -> float | None:
        """Where ``now`` lies; None before opening and after closing."""
        is_inside = self.axis.start <= self.now <= self.axis.end
        return self.axis.at(self.now) if is_inside else None

    @property
    def sentence(self) -> str:
        """What the rail shows, for those who cannot see it."""
        hours = " and ".join(f"{a:%H:%M} to {b:%H:%M}" for a, b in self.windows)
        overdue = sum(mark.state == ClockState.BREACHED for mark in self.marks)
        return (
            f"Working hours {hours}, now {self.now:%H:%M}. "
            f"{len(self.marks)} due today, {overdue} of them overdue."
        )


@dataclass(frozen=True, slots=True)
class _Axis:
    start: datetime
    end: datetime

    def at(self, moment: datetime) -> float:
        return round(100 * ((moment - self.start) / self._length), 2)

    def width(self, start: datetime, end: datetime) -> float:
        return round(100 * ((end - start) / self._length), 2)

    @property
    def _length(self) -> timedelta:
        return (self.end - self.start) or timedelta(seconds=1)
