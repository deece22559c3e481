"""Small files and mappings for the tests of importing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leads.enums import ImportKind
from leads.importing.jobs import create_job, run_job
from leads.models import ImportJob
from tests.factories import NOW

MAPPING: dict[str, Any] = {
    "system": "fair",
    "key": "number",
    "placeholders": ["Select"],
    "fields": {"email": "mail", "last_name": "name", "source": "source"},
    "created_at": {"column": "seen", "format": "%Y-%m-%d"},
}
HEADER = "number,mail,name,source,seen"


def write(path: Path, *lines: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    """Write a CSV file of ``lines``."""
    path.write_bytes("\n".join([header, *lines, ""]).encode(encoding))
    return path


def import_file(
    path: Path,
    mapping: dict[str, Any] | None = None,
    *,
    kind: ImportKind = ImportKind.LEADS,
    is_dry_run: bool = False,
) -> ImportJob:
    """Import ``path`` to the end and return the job."""
    job = create_job(
        kind=kind, path=path, now=NOW, mapping=mapping or MAPPING, is_dry_run=is_dry_run
    )
    return run_job(job_id=job.pk, now=NOW)


def said(job: ImportJob) -> list[tuple[int, str, str]]:
    """Return (line, result, problem) of every line."""
    return list(job.rows.order_by("line").values_list("line", "result", "problem"))
