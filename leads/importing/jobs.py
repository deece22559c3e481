"""Driving an import: staged once, applied chunk by chunk, safe to kill at any moment."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count

from crm.accounts.models import User
from crm.common.stepwise import Stepwise
from leads.enums import ImportKind, ImportState, RowResult
from leads.importing.bulk import refresh_statistics
from leads.importing.deals import apply_deals
from leads.importing.documents import parse_deal_mapping, parse_lead_mapping
from leads.importing.kinds import ApplyLines, Importer, importers
from leads.importing.leads import apply_leads
from leads.importing.mapping import FileMapping, MappingInvalid
from leads.importing.reading import FileRefused
from leads.importing.results import Result, write_results
from leads.importing.sql.lines import Lines, take_lines
from leads.importing.staging import stage_file
from leads.models import (
    Company,
    ExternalId,
    ImportJob,
    ImportRow,
    Lead,
    LeadFact,
    StageInterval,
)
from leads.services import share_merges

logger = logging.getLogger(__name__)

importers.register(
    Importer(
        name=ImportKind.LEADS,
        order=10,
        parse=parse_lead_mapping,
        apply=apply_leads,
        tables=(Company, Lead, ExternalId, StageInterval, LeadFact),
    ),
    Importer(ImportKind.DEALS, 20, parse_deal_mapping, apply_deals, tables=(Lead, StageInterval)),
)
#: What a step changes of a job.
_STEPPED = (
    "state", "error", "finished_at", "header", "line_count", "is_staged", "applied_line",
)  # fmt: skip
#: A chunk that met another writer is tried again; its second look finds what the other one wrote.
_TRIES = 3


def parse_mapping(kind: ImportKind, document: Any) -> FileMapping:
    """Return the mapping of a file of ``kind``.

    Raises:
        MappingInvalid: naming everything that is wrong with its path.
    """
    return _importer(kind).parse(document)


def _importer(kind: str) -> Importer:
    """Return what brings files of ``kind`` in; an app that is installed registered it."""
    importer = importers.get(kind)
    if importer is None:
        raise LookupError(f"Nobody imports {kind}.")
    return importer


def create_job(
    *,
    kind: ImportKind,
    path: Path,
    now: datetime,
    filename: str = "",
    mapping: Mapping[str, Any],
    created_by: User | None = None,
    is_dry_run: bool = True,
    is_draft: bool = False,
) -> ImportJob:
    """Take a file to import; of a draft the mapping is what is known of it so far.

    Raises:
        MappingInvalid: naming everything that is wrong with its path, unless it is a draft.
    """
    if not is_draft:
        parse_mapping(kind, mapping)
    return ImportJob.objects.create(
        kind=kind,
        state=ImportState.DRAFT if is_draft else ImportState.QUEUED,
        filename=(filename or path.name)[:255],
        path=str(path),
        mapping=dict(mapping),
        is_dry_run=is_dry_run,
        created_by=created_by,
        created_at=now,
    )


@transaction.atomic
def set_mapping(*, job_id: int, mapping: Mapping[str, Any], is_dry_run: bool) -> ImportJob:
    """Start a job (again) with ``mapping``; whatever a dry run said before is forgotten.

    Raises:
        MappingInvalid: naming everything that is wrong with its path.
        ImportStarted: while it runs, and once lines have been imported.
    """
    job = ImportJob.objects.select_for_update().get(pk=job_id)
    parse_mapping(ImportKind(job.kind), mapping)
    if not job.takes_mapping:
        raise ImportStarted("This import has started: for another mapping, start a new one.")
    job.mapping, job.is_dry_run, job.state = dict(mapping), is_dry_run, ImportState.QUEUED
    job.is_staged, job.line_count, job.applied_line = False, 0, 0
    job.error, job.finished_at = "", None
    job.save(
        update_fields=[
            "mapping", "is_dry_run", "state", "is_staged", "line_count", "applied_line", "error",
            "finished_at",
        ]
    )  # fmt: skip
    return job


class ImportStarted(Exception):
    """The import is past the point where this can be changed."""


def run_step(*, job_id: int, now: datetime) -> bool:
    """Do the next piece of a job in one transaction and return whether more is left.

    The job's row is locked: two workers never apply the same lines, and a worker that finds it
    locked leaves it to the other.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            return _STEPS.run_step(job_id=job_id, now=now)
        except IntegrityError as error:
            logger.warning("Import %s met another writer (try %s): %s", job_id, attempt, error)
    stop_job(
        job_id=job_id, now=now, error="Another program kept changing the same leads. Try again."
    )
    return False


def stop_job(*, job_id: int, now: datetime, error: str) -> None:
    """End a job that has work left; what it imported so far stays and is listed."""
    _STEPS.stop(job_id=job_id, now=now, error=error)


def sweep_jobs(now: datetime) -> bool:
    """Do one piece of each waiting import and say whether more is left."""
    return _STEPS.sweep(now, run=run_step)


def resume_job(*, job_id: int) -> ImportJob:
    """Let a stopped job go on after the last line that it applied.

    Raises:
        ImportStarted: when it was not stopped.
    """
    if not _STEPS.resume(job_id=job_id):
        raise ImportStarted("This import was not stopped.")
    return ImportJob.objects.get(pk=job_id)


def _advance(job: ImportJob, now: datetime) -> bool:
    """Stage the file, or apply the next chunk; return whether more is left."""
    importer = _importer(job.kind)
    mapping = importer.parse(job.mapping)
    if not job.is_staged:
        stage_file(job, mapping)
        job.state = ImportState.RUNNING
        return True
    share_merges()
    lines = take_lines(job, mapping)
    if lines is None:
        job.state, job.finished_at = ImportState.DONE, now
        return False
    write = _dry(importer) if job.is_dry_run else importer.apply
    write_results(write(lines, mapping, now=now))
    refresh_statistics(ImportRow, *importer.tables)
    job.applied_line = lines.last
    return True


_STEPS = Stepwise(ImportJob, _advance, _STEPPED, failures=(FileRefused, MappingInvalid, OSError))


def _dry(importer: Importer) -> ApplyLines:
    """Return what applies lines, takes everything back, and keeps only what became of each."""

    def apply(lines: Lines, mapping: Any, *, now: datetime) -> list[Result]:
        with transaction.atomic():
            results = importer.apply(lines, mapping, now=now)
            transaction.set_rollback(True)
        return [Result(each.row_id, each.result, each.problem) for each in results]

    return apply


def run_job(*, job_id: int, now: datetime) -> ImportJob:
    """Do all that is left of a job and return it; what stops it is noted on it and goes on."""
    try:
        while run_step(job_id=job_id, now=now):
            pass
    except Exception as error:
        why = f"An unforeseen error: {error or type(error).__name__}"
        stop_job(job_id=job_id, now=now, error=why.replace("\x00", "\ufffd")[:1000])
        raise
    return ImportJob.objects.get(pk=job_id)


def start_import(*, job_id: int) -> ImportJob:
    """After a dry run: import for real.

    Raises:
        ImportStarted: when it is running or was done already.
    """
    changed = ImportJob.objects.filter(
        pk=job_id, is_dry_run=True, state=ImportState.DONE
    ).update(is_dry_run=False, state=ImportState.QUEUED, is_staged=False, line_count=0,
             applied_line=0, finished_at=None)  # fmt: skip
    if not changed:
        raise ImportStarted("This import is running or was done already.")
    return ImportJob.objects.get(pk=job_id)


def counts(job: ImportJob) -> dict[str, int]:
    """Return how many lines ended as what, every result named; ``PENDING`` are still to come."""
    ended = job.rows.exclude(result="").order_by()
    found = dict(ended.values_list("result").annotate(Count("id")))
    named = {result.value: found.get(result.value, 0) for result in RowResult}
    return {**named, "PENDING": job.line_count - sum(named.values())}
