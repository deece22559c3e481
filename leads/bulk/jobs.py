"""Driving work on many leads: staged once, done chunk by chunk, safe to kill at any moment.

What a lead was when the job took it in is kept with it. A lead that changed since, or that is no
longer in the list, is named and left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from crm.accounts.models import User
from crm.common.stepwise import DONE, RUNNING, Stepwise
from leads.bulk.acts import BULK_ROLES, BulkAct, Outcome, bulk_acts
from leads.enums import BulkResult
from leads.list_address import read_address
from leads.models import BulkJob, BulkRow, Lead
from leads.services import lock_leads

#: Leads of one transaction: few enough that nobody waits long for their locks. Our choice.
CHUNK = 100
#: Leads that one can tick on a page, and some room.
MOST_CHOSEN = 1000
_STEPPED = ("state", "error", "finished_at", "is_staged", "row_count", "applied_row")
_FORGOTTEN = "Which leads it changed is kept no longer. Do it again from the list."
_STAGE = """
    INSERT INTO leads_bulkrow (job_id, lead_id, before, result, problem)
    SELECT {job}, lead.id, {before}, %s, %s FROM leads_lead lead
    WHERE lead.id IN ({listed}) ORDER BY lead.id
    ON CONFLICT (job_id, lead_id) DO NOTHING"""
_STAGE_UNDO = """
    INSERT INTO leads_bulkrow (job_id, lead_id, before, result, problem)
    SELECT %s, lead_id, after, '', '' FROM leads_bulkrow
    WHERE job_id = %s AND result = 'DONE' ORDER BY lead_id"""


class BulkRefused(Exception):
    """The work cannot be ordered, or not go on; the message says why."""


def order_act(
    *,
    act: BulkAct,
    said: Mapping[str, Any],
    words: str,
    query: str,
    lead_ids: Sequence[int] | None,
    seen_at: datetime,
    actor: User,
    now: datetime,
) -> BulkJob:
    """Order an act on what a list holds, or on those of its leads that were chosen.

    Args:
        act: what is to be done.
        said: what it was told, as JSON.
        words: the same as people read it.
        query: the list, as its address spells it.
        lead_ids: the chosen ones; None for all that the list holds.
        seen_at: when ``actor`` saw the list.
        actor: who orders it; the job sees what they see.
        now: the moment of the order; relative dates of the list count from it.
    """
    return BulkJob.objects.create(
        act=act.name, said=dict(said), words=words, query=query, created_by=actor,
        lead_ids=None if lead_ids is None else list(lead_ids)[:MOST_CHOSEN],
        seen_at=min(seen_at, now), created_at=now,
    )  # fmt: skip


@transaction.atomic
def undo_job(*, job_id: int, actor: User, now: datetime) -> BulkJob:
    """Order that a job be taken back, for every lead that it changed; twice is once.

    Raises:
        BulkRefused: it still runs, takes another one back itself, or is too long ago.
    """
    job = BulkJob.objects.select_for_update().get(pk=job_id)
    if not job.is_finished:
        raise BulkRefused("This still runs: stop it first.")
    if job.undoes_id is not None:
        raise BulkRefused("This took something back already. Do it again from the list.")
    if job.is_forgotten:
        raise BulkRefused(_FORGOTTEN)
    undoing, _ = BulkJob.objects.get_or_create(
        undoes=job,
        defaults={
            "act": job.act, "said": job.said, "words": f"Undo: {job.words}"[:200],
            "created_by": actor, "seen_at": now, "created_at": now,
        },
    )  # fmt: skip
    return undoing


def stop_job(*, job_id: int, now: datetime, error: str) -> None:
    """End a job that has work left; what it did so far stays."""
    _STEPS.stop(job_id=job_id, now=now, error=error)


@transaction.atomic
def resume_job(*, job_id: int) -> None:
    """Let a stopped job go on.

    Raises:
        BulkRefused: it was not stopped, is being taken back, or is too long ago.
    """
    job = BulkJob.objects.select_for_update().get(pk=job_id)
    if BulkJob.objects.filter(undoes=job).exists():
        raise BulkRefused("This is being taken back.")
    if job.is_forgotten:
        raise BulkRefused(_FORGOTTEN)
    if not _STEPS.resume(job_id=job_id):
        raise BulkRefused("This was not stopped.")


def run_step(*, job_id: int, now: datetime) -> bool:
    """Do the next piece of a job in one transaction and return whether more is left."""
    return _STEPS.run_step(job_id=job_id, now=now)


def sweep_jobs(now: datetime) -> bool:
    """Do one piece of each waiting job and say whether more is left."""
    return _STEPS.sweep(now)


def waiting() -> QuerySet[BulkJob]:
    """Return the jobs with work left."""
    return _STEPS.waiting()


def counts(job: BulkJob) -> dict[BulkResult, int]:
    """Return how many leads ended as what, every result named."""
    ended = job.rows.exclude(result="").order_by()
    found = dict(ended.values_list("result").annotate(Count("id")))
    return {result: found.get(result.value, 0) for result in BulkResult}


def _advance(job: BulkJob, now: datetime) -> bool:
    act = bulk_acts.get(job.act)
    if act is None:
        raise BulkRefused("Nobody does this any more.")
    actor = job.created_by
    if not (actor.is_active and actor.has_role(*BULK_ROLES)):
        raise BulkRefused(f"{actor} may no longer do this.")
    if not job.is_staged:
        _stage(job, act)
        job.state, job.is_staged = RUNNING, True
        return True
    pending = job.rows.filter(pk__gt=job.applied_row, result="").order_by("pk")
    rows = list(pending[: min(CHUNK, act.at_once)])
    if not rows:
        job.state, job.finished_at = DONE, now
        return False
    _apply(job, act, rows, now)
    job.applied_row = rows[-1].pk
    return True


def _stage(job: BulkJob, act: BulkAct) -> None:
    """Take in the leads of a job, in the time zone of who ordered it."""
    if job.undoes_id is not None:
        with connection.cursor() as cursor:
            cursor.execute(_STAGE_UNDO, [job.pk, job.undoes_id])
    else:
        with timezone.override(job.created_by.time_zone):
            address = read_address(QueryDict(job.query), user=job.created_by)
            listed = address.leads(viewer=job.created_by, now=job.created_at)
        if address.problems:
            raise BulkRefused(f"The list cannot be read any more: {address.problems[0]}")
        _stage_listed(job, act, listed)
    job.row_count = job.rows.count()


def _stage_listed(job: BulkJob, act: BulkAct, listed: QuerySet[Lead]) -> None:
    if job.lead_ids is None:
        _insert(job, act, listed.filter(_was_there(job.seen_at)))
        return
    _insert(job, act, listed.filter(pk__in=job.lead_ids))
    visible = Lead.objects.visible_to(job.created_by).filter(pk__in=job.lead_ids)
    gone = Outcome(BulkResult.CHANGED, "It is no longer in the list.")
    _insert(job, act, visible, *gone)


def _was_there(seen_at: datetime) -> Q:
    """Return the condition that a lead was known when the person saw the list: not all it holds."""
    imported = Q(imported_at__isnull=True) | Q(imported_at__lte=seen_at)
    return Q(created_at__lte=seen_at) & imported


def _insert(
    job: BulkJob, act: BulkAct, leads: QuerySet[Lead], result: str = "", problem: str = ""
) -> None:
    """Take in leads that the job does not have yet, in one statement."""
    try:
        listed, bound = leads.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:  # Django knows that nothing can match, and has no SQL for it
        return
    pairs = ", ".join(f"'{name}', lead.{name}" for name in act.guards)
    statement = _STAGE.format(job=int(job.pk), before=f"jsonb_build_object({pairs})", listed=listed)
    with connection.cursor() as cursor:
        # One statement reads the whole list; the limit is for statements that hang.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(statement, [result, problem, *bound])
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


def _apply(job: BulkJob, act: BulkAct, rows: Sequence[BulkRow], now: datetime) -> None:
    """Do the act to a chunk and keep what became of each lead."""
    lead_ids = [row.lead_id for row in rows]
    lock_leads(lead_ids)
    leads = Lead.objects.in_bulk(lead_ids)
    outcomes = _named(job, act, rows, leads)
    ready = [leads[row.lead_id] for row in rows if outcomes[row.lead_id] is None]
    outcomes |= _do(job, act, ready, now)
    after = Lead.objects.in_bulk([lead.pk for lead in ready])
    for row in rows:
        outcome = outcomes[row.lead_id]
        assert outcome is not None  # noqa: S101 -- an act answers for each lead that it was given
        row.result, row.problem = outcome
        if row.result == BulkResult.DONE:
            row.after = _guarded(act, after[row.lead_id])
    BulkRow.objects.bulk_update(rows, ["result", "problem", "after"])


def _do(job: BulkJob, act: BulkAct, leads: Sequence[Lead], now: datetime) -> Mapping[int, Outcome]:
    if job.undoes_id is None:
        return act.do(leads, job.said, actor=job.created_by, now=now)
    undone = BulkRow.objects.filter(job=job.undoes_id, lead__in=leads)
    before = dict(undone.values_list("lead_id", "before"))
    pairs = [(lead, before[lead.pk]) for lead in leads]
    return act.undo(pairs, job.said, actor=job.created_by, now=now)


def _guarded(act: BulkAct, lead: Lead) -> dict[str, Any]:
    """Return what the act guards of a lead, as it is."""
    return {name: getattr(lead, name) for name in act.guards}


def _named(
    job: BulkJob, act: BulkAct, rows: Sequence[BulkRow], leads: Mapping[int, Lead]
) -> dict[int, Outcome | None]:
    """Say of leads that somebody else changed since the person saw them that they did; else None.

    Taking back has no list that was seen: what it takes back has to be as the job left it.
    """
    late = () if job.undoes_id else act.changed_since(leads.keys(), job.seen_at)
    return {
        row.lead_id: _changed(leads[row.lead_id])
        if row.lead_id in late or _guarded(act, leads[row.lead_id]) != row.before
        else None
        for row in rows
    }


def _changed(lead: Lead) -> Outcome:
    return Outcome(BulkResult.CHANGED, f"It is {_standing(lead)} now.")


def _standing(lead: Lead) -> str:
    holder = f", with {lead.owner}" if lead.owner else ""
    return f"{lead.get_stage_display()}{holder}"


_STEPS = Stepwise(BulkJob, _advance, _STEPPED, failures=(BulkRefused,))
