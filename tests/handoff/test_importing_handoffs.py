"""Handoffs of other tools: measured like our own, without waking anybody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.models import Notification, OutboxMessage
from handoff.enums import ClockKind, HandoffState
from handoff.history.mapping import parse_handoff_mapping
from handoff.models import Clock, Handoff, HolderInterval
from handoff.services import enforce_deadlines
from leads.enums import ImportKind, ImportState
from leads.importing.jobs import run_step
from leads.importing.mapping import MappingInvalid
from leads.models import ExternalId, ImportJob
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import make_calendar
from tests.leads.importing import import_file, said, write

pytestmark = pytest.mark.django_db

AT = "%Y-%m-%d %H:%M"
DESK: dict[str, Any] = {
    "system": "desk",
    "key": "ticket",
    "lead": "person",
    "timezone": "Europe/Berlin",
    "assigned_at": {"column": "assigned", "format": AT},
    "first_response_at": {"column": "first", "format": AT},
    "resolved_at": {"column": "resolved", "format": AT},
    "outcome": {"column": "end", "qualified": ["won"], "disqualified": ["lost"]},
    "team": {"column": "group"},
    "rep": {"column": "agent", "create": True},
    "priority": {
        "column": "priority",
        "targets": {"Urgent": {"first_touch": 60, "verdict": 960}, "Low": {"first_touch": 480}},
    },
}
HEADER = "ticket,person,assigned,first,resolved,end,group,agent,priority"
#: Friday 17:30 to Monday 09:20: 50 minutes on the Berlin calendar.
OVER_THE_WEEKEND = "T1,7,2026-03-06 17:30,2026-03-09 09:20,2026-03-09 12:00,won,DACH,Ada,Urgent"


@pytest.fixture(autouse=True)
def desk() -> None:
    """A team with a calendar, and two leads that were imported before."""
    make_calendar(make_team(name="DACH"))
    make_calendar()
    for number in ("7", "8"):
        ExternalId.objects.create(lead=make_lead(), system="desk", external_id=number)


def bring(path: Path, *lines: str, mapping: dict[str, Any] = DESK) -> ImportJob:
    """Import the lines of handoffs."""
    file = write(path / "handoffs.csv", *lines, header=HEADER)
    return import_file(file, mapping, kind=ImportKind.HANDOFFS)


def clock(kind: ClockKind) -> Clock:
    return Clock.objects.get(kind=kind)


def test_a_past_handoff_is_measured_in_working_time(tmp_path: Path) -> None:
    assert said(bring(tmp_path, OVER_THE_WEEKEND)) == [(2, "NEW", "")]
    handoff = Handoff.objects.get()
    assert handoff.state == HandoffState.QUALIFIED
    assert handoff.opened_at == datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    assert (str(handoff.team), str(handoff.holder)) == ("DACH", "Ada")
    first = clock(ClockKind.FIRST_TOUCH)
    assert (first.elapsed, first.breached_at) == (timedelta(minutes=50), None)
    assert first.due_at == datetime(2026, 3, 9, 8, 30, tzinfo=UTC)
    assert first.answerable == handoff.holder
    held = HolderInterval.objects.get()
    assert (held.started_at, held.ended_at) == (handoff.opened_at, handoff.closed_at)


def test_of_several_people_of_one_name_it_is_who_sells(tmp_path: Path) -> None:
    make_user(Role.MARKETER, full_name="Ada")
    make_user(Role.REP, full_name="Ada", is_active=False)
    seller = make_user(Role.REP, full_name="Ada")
    make_user(Role.REP, full_name="Ada")

    bring(tmp_path, OVER_THE_WEEKEND)

    assert Handoff.objects.get().holder == seller


def test_late_and_missing_responses_are_breaches_of_their_due_time(tmp_path: Path) -> None:
    late = OVER_THE_WEEKEND.replace("2026-03-09 09:20", "2026-03-09 09:31")
    never = "T2,8,2026-03-06 17:30,,2026-03-09 12:00,lost,DACH,Ada,Urgent"
    bring(tmp_path, late, never)
    answered, unanswered = Clock.objects.filter(kind=ClockKind.FIRST_TOUCH).order_by("id")
    assert answered.breached_at == answered.due_at
    assert (unanswered.stopped_at, unanswered.breached_at) == (None, unanswered.due_at)


def test_history_wakes_nobody(tmp_path: Path) -> None:
    bring(tmp_path, OVER_THE_WEEKEND, "T2,8,2026-03-06 17:30,,2026-03-09 12:00,lost,DACH,Ada,Low")
    assert not Clock.objects.exclude(alarm_at=None).exists()
    assert enforce_deadlines(now=NOW + timedelta(days=900)) == 0
    assert not OutboxMessage.objects.exists()
    assert not Notification.objects.exists()
    assert not User.objects.get(full_name="Ada").is_active


def line(**changes: str) -> str:
    """Return a line that would come in, with some cells changed."""
    cells = dict(zip(HEADER.split(","), OVER_THE_WEEKEND.split(","), strict=True))
    return ",".join((cells | changes).values())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"person": "9"}, "person: there is no lead '9'"),
        ({"ticket": ""}, "ticket: is empty"),
        ({"assigned": ""}, "assigned: is empty"),
        ({"assigned": "6 March"}, f"assigned: '6 March' is no date of the form {AT}"),
        ({"assigned": "2036-03-06 17:30"}, "assigned: '2036-03-06 17:30' lies in the future"),
        ({"assigned": "1950-03-06 17:30"},
         "assigned: start 1950-03-06T16:30:00+00:00 lies outside of 1970 to 2199"),
        ({"resolved": "2026-03-05 12:00", "first": ""}, "resolved: lies before assigned"),
        ({"first": "2026-03-10 09:00"}, "first: lies after resolved"),
        ({"end": "maybe"}, "end: 'maybe' is no outcome of the mapping: lost, won"),
        ({"group": "UK"}, "group: there is no team 'UK'; \"create\": true would make it"),
        ({"priority": "Huge"}, "priority: 'Huge' has no targets in the mapping: Low, Urgent"),
    ],
)  # fmt: skip
def test_a_bad_line_is_refused_with_its_field(
    tmp_path: Path, changes: dict[str, str], problem: str
) -> None:
    refused, kept = said(bring(tmp_path, line(**changes), line(ticket="T0")))
    assert refused == (2, "REFUSED", problem)
    assert kept == (3, "NEW", "")


def test_an_open_handoff_stays_where_it_is(tmp_path: Path) -> None:
    job = bring(tmp_path, "T1,7,2026-03-06 17:30,,,,DACH,Ada,Low")
    assert said(job) == [(2, "UNCHANGED", "The handoff is still open")]
    assert not Handoff.objects.exists()


def test_the_same_handoff_comes_in_once(tmp_path: Path) -> None:
    bring(tmp_path, OVER_THE_WEEKEND)
    assert said(bring(tmp_path, OVER_THE_WEEKEND)) == [(2, "UNCHANGED", "")]
    assert Handoff.objects.count() == 1


def test_an_import_that_was_killed_goes_on(tmp_path: Path) -> None:
    lines = [OVER_THE_WEEKEND.replace("T1", f"T{number}") for number in range(3)]
    mapping = tmp_path / "map.json"
    mapping.write_text(json.dumps(DESK))
    file = write(tmp_path / "handoffs.csv", *lines, header=HEADER)
    with pytest.raises(CommandError):
        call_command("import_handoffs", str(file), mapping=tmp_path / "none.json")
    out = StringIO()
    call_command("import_handoffs", str(file), mapping=mapping, stdout=out)
    assert "3 lines: 3 new" in out.getvalue()
    job = ImportJob.objects.get()
    ImportJob.objects.update(state=ImportState.RUNNING, applied_line=3)
    while run_step(job_id=job.pk, now=NOW):
        pass
    assert Handoff.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"key": ""}, "key must name the column of the handoff's number"),
        ({"lead": ""}, "lead needs a text"),
        ({"outcome": {}}, "outcome.column must name a column with its words"),
        ({"outcome": {"constant": "REJECTED"}}, "outcome.constant must be one of QUALIFIED"),
        ({"priority": {"targets": {"Low": {"first_touch": 0}}}},
         "priority.targets.Low.first_touch needs whole minutes of working time"),
        ({"priority": {"targets": {"Low": {"reply": 5}}}},
         "priority.targets.Low.reply is not known here"),
        ({"resolved_at": {}}, "resolved_at.column must name a column"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_used_says_what_to_change(
    changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(MappingInvalid, match=r".") as refusal:
        parse_handoff_mapping({**DESK, **changes})
    assert problem in str(refusal.value)
