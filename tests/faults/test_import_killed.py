from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db.models import Count
from django.utils import timezone

from leads.enums import ImportState
from leads.importing.jobs import counts
from leads.models import ExternalId, ImportJob, Lead, StageInterval
from scoring.models import LeadScore
from scoring.services import ensure_model
from tests.leads.importing import MAPPING, write
from tests.processes import start_command, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

LINES = 12_000
REFUSED = 120
REPEATED = 60


def fair(path: Path) -> Path:
    """Write a file in which every hundredth line is refused, and 60 lines repeat an earlier one."""
    good = [
        f"{n},{'none' if n % 100 == 0 else f'p{n}@firm{n}.example'},Brail,fair,2026-05-01"
        for n in range(1, LINES + 1)
    ]
    return write(path, *good, *good[:REPEATED])


def test_an_import_that_was_killed_goes_on_after_the_last_line_applied(tmp_path: Path) -> None:
    file, mapping = fair(tmp_path / "fair.csv"), tmp_path / "mapping.json"
    mapping.write_text(json.dumps(MAPPING))
    ensure_model(now=timezone.now())

    first = start_command("import_leads", str(file), "--mapping", str(mapping))
    try:
        wait_for(Lead.objects.exists)
    finally:
        first.kill()
    first.communicate()
    job = ImportJob.objects.get()
    made, line = Lead.objects.count(), job.applied_line
    second = start_command("import_leads", str(file), "--mapping", str(mapping))
    told, complaints = second.communicate(timeout=90)

    assert first.returncode == -9
    assert 0 < made < LINES - REFUSED, "the fault did not happen in the middle"
    assert job.state == ImportState.RUNNING
    assert second.returncode == 0, complaints
    assert f"Going on after line {line}." in told
    assert_all_lines_are_there_once()
    assert LeadScore.objects.due(timezone.now()).count() == Lead.objects.count()


def assert_all_lines_are_there_once() -> None:
    """Check that nothing was lost or doubled, and that every line has its one result."""
    said = counts(ImportJob.objects.get())
    made = LINES - REFUSED
    assert said == {
        "NEW": made,
        "UPDATED": 0,
        "UNCHANGED": 0,
        "DUPLICATE": REPEATED,
        "REFUSED": REFUSED,
        "PENDING": 0,
    }
    assert (Lead.objects.count(), ExternalId.objects.count()) == (made, made)
    assert StageInterval.objects.current().count() == made
    facts = Lead.objects.annotate(n=Count("facts")).values_list("n", flat=True).distinct()
    assert list(facts) == [2]
