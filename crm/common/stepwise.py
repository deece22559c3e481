"""Long work in steps: a row says how far it is, a step is one transaction, a kill costs one step.

The tables of such jobs have ``state`` with the codes below, ``error`` and ``finished_at``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import models, transaction

from crm.common.locks import is_in_the_way

QUEUED, RUNNING, DONE, FAILED = "QUEUED", "RUNNING", "DONE", "FAILED"
WAITING = (QUEUED, RUNNING)
#: Jobs that one sweep looks at; the others wait for the next.
_MOST_AT_ONCE = 20
_UNFORESEEN = "An unforeseen error; the log of the worker has it."
J = TypeVar("J", bound=models.Model)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stepwise(Generic[J]):
    """How the jobs of one table advance.

    Args:
        model: the table.
        advance: does the next piece of a job, changes the job in memory, and returns whether more
            is left; it runs in the transaction that also saves the job.
        stepped: the columns that are saved then, ``state``, ``error`` and ``finished_at`` too.
        failures: what ends a job with its message instead of being raised.
    """

    model: type[J]
    advance: Callable[[Any, datetime], bool]
    stepped: Sequence[str]
    failures: tuple[type[Exception], ...] = ()

    def waiting(self) -> models.QuerySet[J]:
        """Return the jobs with work left, the oldest first."""
        return self.model._default_manager.filter(state__in=WAITING).order_by("pk")

    @transaction.atomic
    def run_step(self, *, job_id: int, now: datetime) -> bool:
        """Do the next piece of a job and return whether more is left.

        The job's row is held: two workers never do the same piece, and a worker that finds it held
        leaves it to the other.
        """
        held = self.waiting().select_for_update(of=("self",), skip_locked=True)
        job: Any = held.filter(pk=job_id).first()
        if job is None:
            return False
        try:
            with transaction.atomic():
                has_more = self.advance(job, now)
        except self.failures as error:
            job.state, job.error, job.finished_at = FAILED, str(error), now
            has_more = False
        job.save(update_fields=self.stepped)
        return has_more

    def stop(self, *, job_id: int, now: datetime, error: str) -> None:
        """End a job that has work left; what it did so far stays."""
        self.waiting().filter(pk=job_id).order_by().update(
            state=FAILED, error=error, finished_at=now
        )

    def resume(self, *, job_id: int) -> bool:
        """Let a stopped job go on after what it did; say whether it was stopped."""
        stopped = self.model._default_manager.filter(pk=job_id, state=FAILED)
        return bool(stopped.update(state=QUEUED, error="", finished_at=None))

    def sweep(self, now: datetime, *, run: Callable[..., bool] | None = None) -> bool:
        """Do one piece of each waiting job and say whether more is left.

        One piece at a time lets a small job overtake a large one. A job that fails in an unforeseen
        way stops alone, and says so; one that others stand in the way of tries again with the next
        sweep. ``run`` stands in for ``run_step``.
        """
        job_ids = list(self.waiting().values_list("pk", flat=True)[:_MOST_AT_ONCE])
        has_more = [self._guarded(run or self.run_step, job_id, now) for job_id in job_ids]
        return any(has_more)

    def _guarded(self, run: Callable[..., bool], job_id: int, now: datetime) -> bool:
        try:
            return run(job_id=job_id, now=now)
        except Exception as error:
            if is_in_the_way(error):
                logger.warning("%s %s waits: %s", self.model._meta.verbose_name, job_id, error)
                return False
            logger.exception("%s %s stopped", self.model._meta.verbose_name, job_id)
            self.stop(job_id=job_id, now=now, error=_UNFORESEEN)
            return False
