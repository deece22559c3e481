"""What became of the lines of a chunk, written in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from leads.enums import RowResult

_WRITE = """
    UPDATE leads_importrow AS row
    SET result = said.result, problem = said.problem, lead_id = said.lead_id
    FROM json_to_recordset(%s)
        AS said (id bigint, result text, problem text, lead_id bigint)
    WHERE row.id = said.id"""


class Result(NamedTuple):
    """What became of one line; ``lead_id`` is the lead it made or met."""

    row_id: int
    result: RowResult
    problem: str = ""
    lead_id: int | None = None


def write_results(results: Sequence[Result]) -> None:
    """Keep the results of a chunk."""
    said = [
        {"id": row, "result": result, "problem": problem[:500], "lead_id": lead}
        for row, result, problem, lead in results
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [json.dumps(said)])
