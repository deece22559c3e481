"""``manage.py working_time``: one answer a line, whatever the line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handoff.management.commands.working_time import answer_line

ROOT = Path(__file__).resolve().parents[2]
BERLIN = {
    "timezone": "Europe/Berlin",
    "weekly": {
        day: [["09:00", "12:00"], ["13:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")
    },
    "holidays": ["2026-12-25"],
    "exceptions": {"2026-12-31": [["09:00", "12:00"]]},
    "closures": [["2026-12-24T12:00", "2026-12-24T18:00"]],
}
FRIDAY = "2026-11-20T17:30:00+01:00"
MONDAY = "2026-11-23T09:00:00+01:00"


def ask(calendar: object = BERLIN, **question: object) -> dict[str, Any]:
    line = json.dumps({"calendar": calendar} | question)
    return answer_line(line.encode(), number=7)


def test_minutes_give_the_due_time_and_its_steps_in_the_zone_of_the_calendar() -> None:
    assert ask(start=FRIDAY, minutes=120) == {
        "due": "2026-11-23T10:30:00+01:00",
        "steps": [
            {"start": FRIDAY, "end": "2026-11-20T18:00:00+01:00", "minutes": 30.0},
            {"start": MONDAY, "end": "2026-11-23T10:30:00+01:00", "minutes": 90.0},
        ],
    }


def test_zero_minutes_have_no_steps() -> None:
    assert ask(start="2026-11-21T12:00:00Z", minutes=0) == {"due": MONDAY, "steps": []}


def test_minutes_may_be_fractions() -> None:
    assert ask(start=FRIDAY, minutes=0.5)["due"] == "2026-11-20T17:30:30+01:00"


def test_an_end_gives_the_minutes_between() -> None:
    assert ask(start=FRIDAY, end=MONDAY) == {"minutes": 30.0}


def test_the_second_of_two_equal_times_is_told_by_its_offset() -> None:
    calendar = {"timezone": "Europe/Berlin", "weekly": {"sun": [["00:00", "24:00"]]}}

    due = ask(calendar, start="2026-10-25T02:30:00+02:00", minutes=60)["due"]

    assert due == "2026-10-25T02:30:00+01:00"


@pytest.mark.parametrize(
    ("at", "is_open"), [(FRIDAY, True), (MONDAY, True), ("2026-12-31T12:00:00+01:00", False)]
)
def test_at_alone_asks_whether_it_is_open(at: str, is_open: bool) -> None:
    assert ask(at=at) == {"open": is_open}


def test_pauses_stop_the_clock() -> None:
    pauses = [["2026-11-20T16:40:00Z", "2026-11-20T16:50:00Z"]]

    assert ask(start=FRIDAY, minutes=20, pauses=pauses)["due"] == "2026-11-20T18:00:00+01:00"
    assert ask(start=FRIDAY, end=MONDAY, pauses=pauses) == {"minutes": 20.0}


FORMS = 'give "start" with "minutes" or "end" and maybe "pauses", or "at" alone, not '


@pytest.mark.parametrize(
    ("question", "error"),
    [
        ({}, FORMS + "[]"),
        ({"start": FRIDAY}, FORMS + "['start']"),
        ({"start": FRIDAY, "minutes": 1, "end": MONDAY}, FORMS + "['end', 'minutes', 'start']"),
        ({"at": FRIDAY, "pauses": []}, FORMS + "['at', 'pauses']"),
        ({"start": FRIDAY, "minutes": 1, "pause": []}, FORMS + "['minutes', 'pause', 'start']"),
        ({"calendar": None, "at": FRIDAY}, "calendar: must be an object, not None"),
        (
            {"calendar": {"timezone": "UTC", "weekly": {}}, "at": FRIDAY},
            "calendar: never opens: give a window in weekly or exceptions",
        ),
        ({"at": "2026-11-20T17:30:00"}, "at 2026-11-20T17:30:00 needs an offset from UTC"),
        ({"at": "today"}, "at: 'today' is not a time like '2026-11-20T17:30:00+01:00'"),
        ({"at": 5}, "at: 5.0 is not a time like '2026-11-20T17:30:00+01:00'"),
        (
            {"at": "9999-12-31T23:59:59-12:00"},
            "at 9999-12-31T23:59:59-12:00 lies outside of 1970 to 2199",
        ),
        ({"start": MONDAY, "end": FRIDAY}, f"end {FRIDAY} lies before start {MONDAY}"),
        (
            {"start": FRIDAY, "minutes": -1},
            "a duration cannot be negative, nor above 230 years",
        ),
        ({"start": FRIDAY, "minutes": "1"}, "minutes: '1' is not a number of minutes"),
        ({"start": FRIDAY, "minutes": True}, "minutes: True is not a number of minutes"),
        ({"start": FRIDAY, "minutes": 1e300}, "minutes: 1e+300 is not a number of minutes"),
        ({"start": FRIDAY, "minutes": float("nan")}, "minutes: nan is not a number of minutes"),
        ({"start": FRIDAY, "minutes": float("inf")}, "minutes: inf is not a number of minutes"),
        ({"start": FRIDAY, "minutes": 1, "pauses": {}}, "pauses: must be a list, not {}"),
        (
            {"start": FRIDAY, "minutes": 1, "pauses": [[FRIDAY]]},
            f"pauses[0]: must be a pair of start and end, not ['{FRIDAY}']",
        ),
        (
            {"start": FRIDAY, "minutes": 1, "pauses": [[FRIDAY, "soon"]]},
            "pauses[0] end: 'soon' is not a time like '2026-11-20T17:30:00+01:00'",
        ),
        (
            {"start": FRIDAY, "minutes": 1, "pauses": [[MONDAY, FRIDAY]]},
            f"pauses[0] end {FRIDAY} lies before start {MONDAY}",
        ),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(question: Any, error: str) -> None:
    assert ask(**question) == {"error": error, "line": 7}


def test_more_minutes_than_there_are_openings_are_refused() -> None:
    calendar = {"timezone": "UTC", "exceptions": {"2026-11-20": [["09:00", "10:00"]]}}

    answer = ask(calendar, start=FRIDAY, minutes=1)

    assert answer["error"].startswith("less than 0:01:00 of opening hours from 2026-11-20T16:30")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"nonsense", "not JSON: Expecting value at column 1"),
        (b"", "not JSON: Expecting value at column 1"),
        (b"\n", "not JSON: Expecting value at column 1"),
        (b'{"at": 1', "not JSON: Expecting ',' delimiter at column 9"),
        (b'{"at": "\0"}', "not JSON: Invalid control character at at column 9"),
        (b'{"at": "\xff"}', "not UTF-8: invalid start byte at byte 9"),
        (b"[]", "not a question: must be a JSON object"),
        (b"null", "not a question: must be a JSON object"),
        (b"7" * 10_000, "not a question: must be a JSON object"),
        (b"[" * 200_000, "not a question: nested too deeply"),
        (b'{"a":' * 200_000, "not a question: nested too deeply"),
        (b'{"at": 1, "at": 2}', "key 'at' occurs twice in one object"),
    ],
)
def test_a_line_that_is_no_question_says_why(line: bytes, error: str) -> None:
    assert answer_line(line, number=3) == {"error": error, "line": 3}


def test_windows_of_a_weekday_named_twice_do_not_vanish() -> None:
    line = b'{"calendar": {"timezone": "UTC", "weekly": {"mon": [], "mon": []}}, "at": ""}'

    assert answer_line(line, number=1) == {
        "error": "key 'mon' occurs twice in one object",
        "line": 1,
    }


def test_no_depth_of_nesting_ends_the_run() -> None:
    for depth in range(600, 1100):
        line = b'{"calendar": ' + b"[" * depth + b"]" * depth + b"}"

        assert answer_line(line, number=1).keys() == {"error", "line"}


def test_a_number_of_thousands_of_digits_is_refused_at_once() -> None:
    question = json.dumps({"calendar": BERLIN, "start": FRIDAY, "minutes": 0})
    line = question.replace('"minutes": 0', '"minutes": ' + "9" * 100_000)

    assert answer_line(line.encode(), number=1) == {
        "error": "minutes: inf is not a number of minutes",
        "line": 1,
    }


def test_the_command_answers_line_by_line_without_a_database() -> None:
    """Each answer is there before the next question is asked, and the run outlives bad lines."""
    at = json.dumps({"calendar": BERLIN, "at": FRIDAY}).encode()
    environment = os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"}

    with subprocess.Popen(
        [sys.executable, "manage.py", "working_time"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as command:
        assert command.stdin is not None
        assert command.stdout is not None
        answers = []
        for line in (b"\xef\xbb\xbf" + at, b"nonsense", b"", at):
            command.stdin.write(line + b"\n")
            command.stdin.flush()
            answers.append(json.loads(command.stdout.readline()))
        command.stdin.write(at)
        last_line, _ = command.communicate()

    assert answers == [
        {"open": True},
        {"error": "not JSON: Expecting value at column 1", "line": 2},
        {"error": "not JSON: Expecting value at column 1", "line": 3},
        {"open": True},
    ]
    assert json.loads(last_line) == {"open": True}
    assert command.returncode == 0
