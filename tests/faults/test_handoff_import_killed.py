"""An import of past handoffs is killed in its middle and started again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import Count
from django.utils import timezone

from crm.common.models import Notification, OutboxMessage
from handoff.models import BantAssessment, Clock, Handoff, HolderInterval, ImportedHandoff
from handoff.services import enforce_deadlines
from leads.enums import ImportState
from leads.importing.jobs import counts
from leads.models import ExternalId, ImportJob
from scoring.services import ensure_model
from tests.factories import make_lead, make_team
from tests.handoff.factories import make_calendar
from tests.handoff.test_importing_handoffs import DESK, HEADER
from tests.leads.importing import write
from tests.processes import start_command, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

LINES = 8_000
LEADS = 40
REPEATED = 60
#: Of each hundred one names a lead that nobody knows.
REFUSED = LINES // 100


def tickets(path: Path) -> Path:
    """Write a file of closed handoffs; some are refused, and the last lines repeat the first."""
    lines = [
        f"T{n},{'nobody' if n % 100 == 0 else n % LEADS + 1},2026-03-06 17:30,2026-03-09 09:20,"
        f"2026-03-09 12:00,won,DACH,Ada,Urgent"
        for n in range(1, LINES + 1)
    ]
    return write(path, *lines, *lines[:REPEATED], header=HEADER)


def test_a_killed_import_goes_on_and_measures_each_handoff_once(tmp_path: Path) -> None:
    ensure_model(now=timezone.now())
    make_calendar(make_team(name="DACH"))
    make_calendar()
    for number in range(1, LEADS + 1):
        ExternalId.objects.create(lead=make_lead(), system="desk", external_id=str(number))
    file, mapping = tickets(tmp_path / "desk.csv"), tmp_path / "mapping.json"
    mapping.write_text(json.dumps(DESK))
    command = ("import_handoffs", str(file), "--mapping", str(mapping))

    first = start_command(*command)
    wait_for(Handoff.objects.exists)
    first.kill()
    first.communicate()
    job = ImportJob.objects.get()
    made, line = Handoff.objects.count(), job.applied_line
    second = start_command(*command)
    told, complaints = second.communicate(timeout=120)

    assert first.returncode == -9
    assert 0 < made < LINES - REFUSED, "the fault did not happen in the middle"
    assert job.state == ImportState.RUNNING
    assert second.returncode == 0, complaints
    assert f"Going on after line {line}." in told
    assert_each_is_there_once()
    assert_nobody_is_woken()


def assert_each_is_there_once() -> None:
    """Each good line is one handoff with its clocks, its holder and its form; none is doubled."""
    good = LINES - REFUSED
    said = counts(ImportJob.objects.get())
    assert (said["NEW"], said["REFUSED"]) == (good, REFUSED)
    assert said["NEW"] + said["UNCHANGED"] + said["DUPLICATE"] + REFUSED == LINES + REPEATED
    rows = (Handoff, ImportedHandoff, HolderInterval, BantAssessment)
    assert [each.objects.count() for each in rows] == [good] * 4
    of_each = Handoff.objects.annotate(n=Count("clocks")).values_list("n", flat=True).distinct()
    assert list(of_each) == [2]


def assert_nobody_is_woken() -> None:
    """History has no alarm, whatever was killed: no sweep finds any, years later."""
    assert not Clock.objects.filter(alarm_at__isnull=False).exists()
    assert enforce_deadlines(now=timezone.now() + timedelta(days=900)) == 0
    assert not Notification.objects.exists()
    assert not OutboxMessage.objects.exists()
