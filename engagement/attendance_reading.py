"""Reading one line of an attendance list: columns by their names, then words and times. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from engagement.enums import AttendanceStatus
from leads.normalise import NotAnEmail, normalise_email

LONGEST_NAME = 200
MOST_MINUTES = 24 * 60
#: What a list can hold; the first two it must.
NEEDED = ("email", "status")
FIELDS = (*NEEDED, "name", "joined_at", "minutes")
#: How other programs call these columns, in letters and digits only.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "mail", "emailaddress", "useremail", "attendeeemail"),
    "status": (
        "status", "attended", "attendance", "attendancestatus", "attendeestatus", "present",
        "joined",
    ),
    "name": ("name", "fullname", "username", "attendee", "participant", "attendeename"),
    "joined_at": ("joinedat", "jointime", "joindate", "timejoined", "firstjoin", "starttime"),
    "minutes": (
        "minutes", "duration", "durationminutes", "timeinsession", "timeinsessionminutes",
        "minutesattended", "attendanceduration",
    ),
}  # fmt: skip
_STATUSES: Mapping[AttendanceStatus, tuple[str, ...]] = {
    AttendanceStatus.ATTENDED: (
        "attended", "yes", "y", "true", "1", "present", "joined", "attendee", "participated",
    ),
    AttendanceStatus.REGISTERED: (
        "registered", "approved", "invited and registered", "signed up", "accepted",
    ),
    AttendanceStatus.NO_SHOW: (
        "no show", "noshow", "no", "n", "false", "0", "absent", "missed", "did not attend",
        "not attended",
    ),
}  # fmt: skip
_STATUS_OF = {word: status for status, words in _STATUSES.items() for word in words}


class LineRefused(ValueError):
    """A line cannot be taken; the message names the column and says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line says. ``joined_at`` is aware; None where the file does not tell."""

    email: str
    status: AttendanceStatus
    name: str = ""
    joined_at: datetime | None = None
    minutes: int | None = None


def suggest_columns(header: Sequence[str]) -> dict[str, str]:
    """Return the column for each field that one is named like, the first that fits."""
    found: dict[str, str] = {}
    for field in FIELDS:
        for column in header:
            plain = re.sub(r"[^a-z0-9]", "", column.lower())
            if plain in _NAMES[field] and column not in found.values():
                found[field] = column
                break
    return found


def read_entry(said: Mapping[str, str], *, zone: tzinfo) -> Entry:
    """Return what a line says; ``said`` are its cells by field, ``zone`` that of bare times.

    Raises:
        LineRefused: a cell cannot be understood.
    """
    return Entry(
        email=_email(said.get("email", "")),
        status=_status(said.get("status", "")),
        name=said.get("name", "").strip()[:LONGEST_NAME],
        joined_at=_moment(said.get("joined_at", ""), zone),
        minutes=_minutes(said.get("minutes", "")),
    )


def _email(text: str) -> str:
    try:
        found = normalise_email(text)
    except NotAnEmail:
        found = None
    if not found:
        raise LineRefused(f"email: {text[:60]!r} is no e-mail address")
    return found


def _status(text: str) -> AttendanceStatus:
    words = " ".join(re.findall(r"[a-z0-9]+", text.lower()))
    if words not in _STATUS_OF:
        raise LineRefused(f"status: {text[:60]!r} is neither registered, attended nor no-show")
    return _STATUS_OF[words]


def _moment(text: str, zone: tzinfo) -> datetime | None:
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment if moment.tzinfo else moment.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise LineRefused(f"joined_at: {text[:60]!r} is no time such as 2026-05-31 16:04") from None


def _minutes(text: str) -> int | None:
    if not text.strip():
        return None
    number = re.fullmatch(r"(\d{1,4})(?:[.,]\d+)?(?:\s*min(?:utes?)?)?", text.strip())
    if number is None or int(number[1]) > MOST_MINUTES:
        raise LineRefused(f"minutes: {text[:60]!r} is no number of minutes up to {MOST_MINUTES}")
    return int(number[1])
