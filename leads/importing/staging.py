"""Copying a file into the database, line by line, before anything is decided about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from leads.enums import RowResult
from leads.importing.bulk import copy_rows
from leads.importing.mapping import FileMapping
from leads.importing.reading import FileRefused, Table, open_table
from leads.importing.rows import cell_text
from leads.models import ImportJob, ImportRow

_COLUMNS = ("job_id", "line", "key", "cells", "result", "problem")
_KEY_LIMIT = 254
# Joined by id: the table has just been filled, so the planner knows nothing about its keys.
_MARK_DUPLICATES = """
    UPDATE leads_importrow AS row
    SET result = 'DUPLICATE',
        problem = left(
            %s || ': ' || quote_literal(row.key) || ' is on line ' || counted.first || ' already',
            500
        )
    FROM (
        SELECT id, line, min(line) OVER (PARTITION BY key) AS first FROM leads_importrow
        WHERE job_id = %s AND key <> ''
    ) AS counted
    WHERE row.id = counted.id AND counted.line > counted.first AND row.result = ''"""


def stage_file(job: ImportJob, mapping: FileMapping) -> None:
    """Copy the file of ``job`` into its rows, inside a transaction; the caller saves ``job``.

    Constant memory: one line at a time. Lines of the wrong form are refused here already, and those
    that repeat the key of an earlier line are marked: the first one counts.

    Raises:
        FileRefused: the file cannot be read to its end, or lacks a column of the mapping.
    """
    table = open_table(Path(job.path), encoding=mapping.encoding, delimiter=mapping.delimiter)
    check_columns(table.header, mapping)
    job.rows.all().delete()
    with connection.cursor() as cursor:
        # One statement reads the whole file; the limit is for statements that hang.
        cursor.execute("SET LOCAL statement_timeout = 0")
        job.line_count = copy_rows(ImportRow, _COLUMNS, _rows(job, table, mapping))
        cursor.execute(_MARK_DUPLICATES, [mapping.same_by, job.pk])
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    job.header, job.is_staged = table.header, True


def check_columns(header: list[str], mapping: FileMapping) -> None:
    """Return when the file has every column that the mapping reads.

    Raises:
        FileRefused: naming the first that it lacks, and those it has.
    """
    missing = sorted(mapping.columns() - set(header))
    if missing:
        raise FileRefused(
            f"The file has no column {missing[0]!r} that the mapping names; its columns are "
            f"{', '.join(header)[:1000]}."
        )


def _rows(
    job: ImportJob, table: Table, mapping: FileMapping
) -> Iterator[tuple[int, int, str, str, str, str]]:
    """Yield the lines; the number in the source system, else the e-mail, makes two the same."""
    column = mapping.same_by
    place = table.header.index(column)
    for line in table.lines:
        result, key = RowResult.REFUSED.value, ""
        if not line.problem:
            result, key = "", cell_text(line.cells[place], column, mapping).lower()[:_KEY_LIMIT]
        cells = json.dumps(line.cells, ensure_ascii=False)
        yield job.pk, line.number, key, cells, result, line.problem[:500]
