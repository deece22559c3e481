"""The refused lines of an import, for a person to mend and import again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leads.enums import RowResult
from leads.models import ImportJob

REFUSALS_HEADER = ("line", "reason")


def refusal_rows(job: ImportJob) -> Iterator[list[Any]]:
    """Yield line number, reason and the cells as they stood."""
    refused = job.rows.filter(result=RowResult.REFUSED).order_by("line")
    for line, problem, cells in refused.values_list("line", "problem", "cells").iterator():
        yield [line, problem, *cells]
