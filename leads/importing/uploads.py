"""Files that arrive through a page: kept under a name nobody chose, looked into, described."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from crm.accounts.models import User
from leads.enums import ImportKind
from leads.importing.jobs import create_job, parse_mapping
from leads.importing.reading import FileRefused, Table, open_table
from leads.importing.staging import check_columns
from leads.models import ImportJob

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx")
LARGEST_UPLOAD = 200 * 2**20
#: How long an uploaded file is kept: for a second look, and for a stopped import. Our choice.
KEPT = timedelta(days=30)
_LINES_LOOKED_AT = 50
_SAMPLES = 3
_SAMPLE_LENGTH = 60


@dataclass(frozen=True)
class SampleColumn:
    """A column of the file with some of the values in it."""

    name: str
    values: Sequence[str]


def receive_upload(
    *,
    upload: UploadedFile[Any],
    kind: ImportKind,
    mapping: Mapping[str, Any],
    now: datetime,
    created_by: User,
) -> ImportJob:
    """Keep an uploaded file and return its draft; an empty ``mapping`` is one still to be made.

    Raises:
        FileRefused: the file cannot be read, or lacks a column of the mapping.
        MappingInvalid: naming everything that is wrong with its path.
    """
    name = upload.name or ""
    parsed = parse_mapping(kind, mapping) if mapping else None
    path = _keep(upload, Path(name).suffix.lower())
    try:
        draft = mapping or {"encoding": encoding_of(path)}
        table = _open(path, draft)
        if parsed:
            check_columns(table.header, parsed)
        _sample(table)
    except FileRefused:
        path.unlink()
        raise
    return create_job(
        kind=kind, path=path, filename=name, now=now, mapping=draft, created_by=created_by,
        is_draft=True,
    )  # fmt: skip


def sample_columns(job: ImportJob) -> list[SampleColumn]:
    """Return the named columns of a job's file, each with up to three different values.

    Raises:
        FileRefused: the file cannot be read any more.
    """
    return _sample(_open(Path(job.path), job.mapping))


def remove_old_uploads(*, now: datetime) -> int:
    """Remove uploaded files older than ``KEPT`` and return how many; safe to repeat.

    Files that an import still reads stay, and those that the command reads lie elsewhere. What
    became of each line is kept in the database.
    """
    in_use = set(ImportJob.objects.waiting().order_by().values_list("path", flat=True))
    removed = 0
    for path in _folder().glob("*"):
        written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if written_at < now - KEPT and str(path) not in in_use:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "imports"


def _keep(upload: UploadedFile[Any], suffix: str) -> Path:
    """Write the file under a random name; what it was called is text from outside."""
    _folder().mkdir(parents=True, exist_ok=True)
    path = _folder() / f"{uuid4().hex}{suffix}"
    with path.open("xb") as file:
        for chunk in upload.chunks():
            file.write(chunk)
    return path


def _open(path: Path, mapping: Mapping[str, Any]) -> Table:
    return open_table(
        path, encoding=mapping.get("encoding", "utf-8"), delimiter=mapping.get("delimiter", "")
    )


def encoding_of(path: Path) -> str:
    """Return UTF-8 where all of it is, else what Windows writes: its mark, or its code page."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        chunk = file.read(2**20)
        if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(2**20)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _sample(table: Table) -> list[SampleColumn]:
    lines = [line.cells for line in islice(table.lines, _LINES_LOOKED_AT) if not line.problem]
    return [
        SampleColumn(name, _different(cells[place] for cells in lines))
        for place, name in enumerate(table.header)
        if name
    ]


def _different(values: Iterable[str]) -> list[str]:
    found = dict.fromkeys(value.strip()[:_SAMPLE_LENGTH] for value in values)
    found.pop("", None)
    return list(islice(found, _SAMPLES))
