"""Ordering work on many leads, and doing it without a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm.accounts.models import User
from leads.bulk.acts import BulkAct, bulk_acts
from leads.bulk.jobs import order_act, run_step
from leads.models import BulkJob, Lead
from tests.factories import NOW

ADD_FAIR = {"way": "add", "tag": "Fair"}
DISQUALIFY = {"to_stage": "DISQUALIFIED", "reason": "Students", "wake_at": None}


def act_called(name: str) -> BulkAct:
    """Return a registered act."""
    act = bulk_acts.get(name)
    assert act is not None
    return act


def order(
    actor: User,
    act: str = "tag",
    said: Mapping[str, Any] = ADD_FAIR,
    *,
    query: str = "view=all",
    leads: Sequence[Lead] | None = None,
    seen_at: datetime = NOW,
    now: datetime = NOW,
) -> BulkJob:
    """Order an act on all leads of a list, or on ``leads``."""
    return order_act(
        act=act_called(act), said=said, words=act.capitalize(), query=query, actor=actor,
        lead_ids=None if leads is None else [lead.pk for lead in leads], seen_at=seen_at, now=now,
    )  # fmt: skip


def work_off(job: BulkJob, *, now: datetime = NOW) -> BulkJob:
    """Do all that is left of a job."""
    while run_step(job_id=job.pk, now=now):
        pass
    job.refresh_from_db()
    return job


def outcomes(job: BulkJob) -> dict[int, tuple[str, str]]:
    """Return result and reason of each lead."""
    rows = job.rows.values_list("lead_id", "result", "problem")
    return {lead_id: (result, problem) for lead_id, result, problem in rows}
