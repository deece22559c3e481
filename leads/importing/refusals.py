"""The refused lines of an import, for a person to mend and import again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from leads.enums import RowResult
from leads.models import ImportJob

_HEADER = ["line", "reason"]


def refusals_header(job: ImportJob) -> list[str]:
    """Return the names of the columns of ``refusal_rows``."""
    return [*_HEADER, *_of_the_file(job, job.header)]


def refusal_rows(job: ImportJob) -> Iterator[list[Any]]:
    """Yield line number, reason and the cells as they stood."""
    refused = job.rows.filter(result=RowResult.REFUSED).order_by("line")
    for line, problem, cells in refused.values_list("line", "problem", "cells").iterator():
        yield [line, problem, *_of_the_file(job, cells)]


def _of_the_file(job: ImportJob, cells: Sequence[str]) -> Sequence[str]:
    """Return ``cells`` without number and reason of an earlier refusal, which stand no more."""
    is_list_of_refusals = job.header[: len(_HEADER)] == _HEADER
    return cells[len(_HEADER) :] if is_list_of_refusals else cells
