"""What became of each lead of a job, as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leads.enums import BulkResult
from leads.models import BulkJob


def result_header() -> list[str]:
    """Return the names of the columns of ``result_rows``."""
    return ["Lead", "Name", "E-mail", "Result", "Reason"]


def result_rows(job: BulkJob) -> Iterator[list[Any]]:
    """Yield each lead with its result, in the order in which they are worked off."""
    rows = job.rows.select_related("lead").defer("lead__search_text", "lead__attributes")
    for row in rows.order_by("id").iterator(chunk_size=500):
        result = BulkResult(row.result).label if row.result else "Waiting"
        yield [row.lead_id, str(row.lead), row.lead.email, result, row.problem]
