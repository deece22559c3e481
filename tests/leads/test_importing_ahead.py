"""Reading ahead of an import that other processes may overtake, and what the planner is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from leads.enums import ImportKind
from leads.importing.bulk import refresh_statistics
from leads.importing.checking import ReadAhead
from leads.importing.jobs import create_job, parse_mapping, run_step
from leads.models import Company, ImportJob
from tests.factories import NOW
from tests.leads.importing import MAPPING, write

pytestmark = pytest.mark.django_db

PARSED = parse_mapping(ImportKind.LEADS, MAPPING)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImportJob:
    """Return a job of seven lines that stands at its beginning; a chunk has two."""
    monkeypatch.setattr("leads.importing.checking.CHUNK", 2)
    rows = (f"{n},,Name {n},fair,2026-05-01" for n in range(7))
    path = write(tmp_path / "a.csv", *rows)
    made = create_job(kind=ImportKind.LEADS, path=path, now=NOW, mapping=MAPPING, is_dry_run=False)
    run_step(job_id=made.pk, now=NOW)
    made.refresh_from_db()
    return made


def taken(ahead: ReadAhead, job: ImportJob) -> list[tuple[int, int]]:
    """Return (id, line) of the next lines."""
    checked = ahead.take(job, PARSED, NOW)
    return [(row.pk, row.line) for row, _ in checked.leads] if checked else []


def test_lines_come_in_order_and_once(job: ImportJob) -> None:
    lines = []
    with ReadAhead() as ahead:
        while chunk := taken(ahead, job):
            lines += [line for _, line in chunk]
            job.applied_line = lines[-1]
    assert lines == [2, 3, 4, 5, 6, 7, 8]


def test_lines_that_another_process_applied_are_not_taken_again(job: ImportJob) -> None:
    with ReadAhead() as ahead:
        taken(ahead, job)
        job.applied_line = 7
        assert [line for _, line in taken(ahead, job)] == [8]


def test_lines_that_were_staged_anew_are_read_anew(job: ImportJob) -> None:
    with ReadAhead() as ahead:
        before = taken(ahead, job)
        ImportJob.objects.update(is_staged=False)
        run_step(job_id=job.pk, now=NOW)
        job.applied_line = 3
        ids = dict(job.rows.values_list("line", "pk"))
        assert ids[2] != before[0][0]
        assert taken(ahead, job) == [(ids[4], 4), (ids[5], 5)]


def test_the_planner_is_told_when_a_table_has_doubled() -> None:
    def told() -> float:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'leads_company'")
            return float(cursor.fetchone()[0])

    def add(name: str, count: int) -> None:
        Company.objects.bulk_create(
            Company(name=f"{name} {n}", website="x" * 400, created_at=NOW) for n in range(count)
        )

    add("Kesterwald", 4000)
    refresh_statistics(Company)
    assert told() == 4000
    add("Brail", 1000)
    refresh_statistics(Company)
    assert told() == 4000
    add("Caron", 4000)
    refresh_statistics(Company)
    assert told() == 9000
