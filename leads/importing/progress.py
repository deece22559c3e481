"""How far an import is, for people."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max

from leads.enums import ImportState, RowResult
from leads.importing.jobs import counts
from leads.models import ImportJob


@dataclass(frozen=True)
class Progress:
    """The lines of a job by what became of them; ``line`` of ``last_line`` are done."""

    line: int
    last_line: int
    by_result: list[tuple[RowResult, int]]
    pending: int

    @property
    def effective(self) -> int:
        """Return how many lines make or change something."""
        return sum(
            n for result, n in self.by_result if result in (RowResult.NEW, RowResult.UPDATED)
        )

    @property
    def refused(self) -> int:
        """Return how many lines were refused."""
        return dict(self.by_result)[RowResult.REFUSED]


def progress_of(job: ImportJob) -> Progress:
    """Return how far ``job`` is; before its file is read, everything is zero."""
    said = counts(job)
    last = job.rows.aggregate(last=Max("line"))["last"] or 0
    return Progress(
        line=last if job.state == ImportState.DONE else job.applied_line,
        last_line=last,
        by_result=[(result, said[result.value]) for result in RowResult],
        pending=said["PENDING"],
    )
