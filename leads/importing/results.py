"""What became of the lines of a chunk, written in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from leads.enums import RowResult

_WRITE = """
    UPDATE leads_importrow AS row
    SET result = said.result, problem = said.problem, lead_id = said.lead_id
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[])
        AS said (id, result, problem, lead_id)
    WHERE row.id = said.id"""


class Row(NamedTuple):
    """A line of the file that waits for its result."""

    pk: int
    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
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
