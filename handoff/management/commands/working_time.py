"""Answer questions about business calendars, one JSON line each."""

import json
import math
import sys
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand

from handoff.business_hours import (
    BusinessCalendar,
    CalendarInvalid,
    NoOpening,
    Pauses,
    SpanInvalid,
    add_working_time,
    explain_due,
    is_open,
    parse_calendar,
    shown,
    working_time_between,
)

FORMS = 'give "start" with "minutes" or "end" and maybe "pauses", or "at" alone'


class QuestionInvalid(ValueError):
    """A line that is not JSON, or not one of the three forms of question."""


class Command(BaseCommand):
    """One answer a line, in order; an error is the answer to its line and does not end the run."""

    help = (
        "Reads JSON lines with a calendar and a question from standard input and writes one JSON "
        "line each: due and steps, elapsed minutes, or whether it is open. Exits with 0 when all "
        "lines are answered, also where the answer is an error."
    )
    requires_system_checks = []

    def handle(self, **_: object) -> None:
        """Flush after each line, so that another program can wait for the answer."""
        for number, line in enumerate(sys.stdin.buffer, start=1):
            self.stdout.write(json.dumps(answer_line(line, number)))
            self.stdout.flush()


def answer_line(line: bytes, number: int) -> dict[str, Any]:
    """Return the answer to one line of input, or its error with the ``number`` of the line."""
    try:
        return answer(read_question(line))
    except (QuestionInvalid, CalendarInvalid, SpanInvalid, NoOpening) as error:
        return {"error": str(error), "line": number}
    except RecursionError:  # from decoding it, or from quoting what was just shallow enough
        return {"error": "not a question: nested too deeply", "line": number}


def read_question(line: bytes) -> dict[str, Any]:
    """Decode one line. Numbers become floats, which keep thousands of digits from taking long.

    Raises:
        QuestionInvalid: It is no UTF-8, no JSON, no object, or names a key twice.
    """
    try:
        question = json.loads(
            line.decode("utf-8-sig"), parse_int=float, object_pairs_hook=_unique_keys
        )
    except json.JSONDecodeError as error:
        raise QuestionInvalid(f"not JSON: {error.msg} at column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise QuestionInvalid(f"not UTF-8: {error.reason} at byte {error.start + 1}") from None
    if not isinstance(question, dict):
        raise QuestionInvalid("not a question: must be a JSON object")
    return question


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Answer a decoded question; times are in the zone of its calendar.

    Raises:
        QuestionInvalid, CalendarInvalid, SpanInvalid, NoOpening: The message says what is wrong.
    """
    calendar = parse_calendar(question.get("calendar"))
    asked = {key: value for key, value in question.items() if key != "calendar"}
    match asked:
        case {"at": at, **others} if not others:
            return {"open": is_open(_time(at, "at"), calendar)}
        case {"start": start, "minutes": minutes, **others} if others.keys() <= {"pauses"}:
            return _due(_time(start, "start"), _minutes(minutes), calendar, _pauses(others))
        case {"start": start, "end": end, **others} if others.keys() <= {"pauses"}:
            elapsed = working_time_between(
                _time(start, "start"), _time(end, "end"), calendar, _pauses(others)
            )
            return {"minutes": elapsed / timedelta(minutes=1)}
    raise QuestionInvalid(f"{FORMS}, not {shown(sorted(asked))}")


def _due(
    start: datetime, duration: timedelta, calendar: BusinessCalendar, pauses: Pauses
) -> dict[str, Any]:
    def local(at: datetime) -> str:
        return at.astimezone(calendar.timezone).isoformat()

    due = add_working_time(start, duration, calendar, pauses)
    steps = explain_due(start, duration, calendar, pauses)
    return {
        "due": local(due),
        "steps": [
            {"start": local(step.start), "end": local(step.end), "minutes": step.minutes}
            for step in steps
        ],
    }


def _time(value: object, name: str) -> datetime:
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise QuestionInvalid(f"{name}: {shown(value)} is not a time like '2026-11-20T17:30:00+01:00'")


def _minutes(value: object) -> timedelta:
    try:
        if isinstance(value, float) and math.isfinite(value):
            return timedelta(minutes=value)
    except OverflowError:
        pass
    raise QuestionInvalid(f"minutes: {shown(value)} is not a number of minutes")


def _pauses(question: dict[str, Any]) -> list[tuple[datetime, datetime]]:
    pauses = question.get("pauses", [])
    if not isinstance(pauses, list):
        raise QuestionInvalid(f"pauses: must be a list, not {shown(pauses)}")
    return [_pause(pause, f"pauses[{index}]") for index, pause in enumerate(pauses)]


def _pause(value: object, name: str) -> tuple[datetime, datetime]:
    match value:
        case [start, end]:
            return _time(start, f"{name} start"), _time(end, f"{name} end")
    raise QuestionInvalid(f"{name}: must be a pair of start and end, not {shown(value)}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise QuestionInvalid(f"key {shown(twice)} occurs twice in one object")
    return keys
