"""What ``import_leads`` and ``import_deals`` share: arguments, the run, the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm.common.csv import csv_lines
from leads.enums import ImportKind, ImportState, RowResult
from leads.importing.jobs import counts, create_job, resume_job, run_job, stop_job
from leads.importing.mapping import MappingInvalid
from leads.importing.refusals import refusal_rows, refusals_header
from leads.models import ImportJob

SHOWN_REFUSALS = 20


class ImportCommand(BaseCommand):
    """Imports a file and says what became of its lines; exits with 1 when the file was refused."""

    kind: ImportKind

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file, its mapping and what to do with refused lines."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--mapping", type=Path, required=True, help="JSON, see docs/importing.md"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="check every line, write nothing"
        )
        parser.add_argument("--refused", type=Path, help="write the refused lines to this CSV file")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the import, going on where one of the same file and mapping was killed."""
        path, is_dry_run = options["file"].resolve(), options["dry_run"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        job = self._job(path, _read_json(options["mapping"]), is_dry_run=is_dry_run)
        job = run_job(job_id=job.pk, now=timezone.now())
        if job.state == ImportState.FAILED:
            raise CommandError(job.error)
        self._report(job)
        if options["refused"]:
            lines = csv_lines(refusals_header(job), refusal_rows(job))
            options["refused"].write_text("".join(lines), encoding="utf-8")

    def _job(self, path: Path, mapping: Any, *, is_dry_run: bool) -> ImportJob:
        """Return the unfinished job of this very import, else a new one.

        A file that was changed since is another import: nothing staged of it counts any more.
        """
        same = ImportJob.objects.filter(
            kind=self.kind, path=str(path), mapping=mapping, is_dry_run=is_dry_run, created_by=None
        ).exclude(state__in=(ImportState.DONE, ImportState.DRAFT))
        job = same.order_by("-id").first()
        if job and path.stat().st_mtime > job.created_at.timestamp():
            stop_job(job_id=job.pk, now=timezone.now(), error="The file was changed.")
            job = None
        if job is None:
            try:
                return create_job(
                    kind=self.kind, path=path, now=timezone.now(), mapping=mapping,
                    is_dry_run=is_dry_run,
                )  # fmt: skip
            except MappingInvalid as error:
                sentences = "\n".join(f"  {where}: {why}" for where, why in error.problems)
                raise CommandError(f"The mapping cannot be used:\n{sentences}") from error
        self.stdout.write(f"Going on after line {job.applied_line}.")
        return resume_job(job_id=job.pk) if job.state == ImportState.FAILED else job

    def _report(self, job: ImportJob) -> None:
        """Write the counts and the first refusals."""
        said = counts(job)
        total = ", ".join(f"{said[each.value]} {each.label.lower()}" for each in RowResult)
        self.stdout.write(f"{job.line_count} lines: {total}.")
        for line, problem in (
            job.rows.filter(result=RowResult.REFUSED)
            .order_by("line")
            .values_list("line", "problem")[:SHOWN_REFUSALS]
        ):
            self.stderr.write(f"  line {line}: {problem}")
        if job.is_dry_run:
            self.stdout.write("Dry run: nothing was written.")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"The mapping cannot be read: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"The mapping {path} is not JSON: {error}.") from error
