"""What became of the lines of a chunk, written in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Min

from leads.enums import RowResult
from leads.models import ImportJob, ImportRow

_WRITE = """
    UPDATE leads_importrow AS row
    SET result = said.result, problem = said.problem, lead_id = said.lead_id
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[])
        AS said (id, result, problem, lead_id)
    WHERE row.id = said.id"""


@dataclass(frozen=True)
class Result:
    """What became of one line; ``lead_id`` is the lead it made or met."""

    row_id: int
    result: RowResult
    problem: str = ""
    lead_id: int | None = None


def write_results(results: Sequence[Result]) -> None:
    """Keep the results of a chunk."""
    columns: list[Any] = [
        [each.row_id for each in results],
        [each.result.value for each in results],
        [each.problem[:500] for each in results],
        [each.lead_id for each in results],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, columns)


def first_lines(job: ImportJob, rows: Sequence[ImportRow]) -> Mapping[str, int]:
    """Return for each key of ``rows`` the first line of the file that has it."""
    keys = {row.key for row in rows if row.key}
    found = job.rows.filter(key__in=keys).order_by().values_list("key").annotate(Min("line"))
    return dict(found)


def duplicate_of(row: ImportRow, first: Mapping[str, int]) -> Result | None:
    """Return the result of a line that repeats an earlier one; the first one counts."""
    line = first.get(row.key, row.line)
    if line == row.line:
        return None
    return Result(row.pk, RowResult.DUPLICATE, f"{row.key}: is on line {line} already")
