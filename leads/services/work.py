"""The everyday writes: who holds a lead, what it did last, what comes next, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction

from crm.accounts.models import SalesTeam, User
from crm.common.instants import check_instant
from leads.models import Lead, Note
from leads.normalise import NotText, clean_text
from leads.services.merging import survivor_of
from leads.services.values import LeadInvalid

#: The rows are locked in one order, so that two batches of events cannot wait for each other.
_RECORD_ACTIVITY = """
    WITH latest AS (
        SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS t (id, at)
    ), held AS MATERIALIZED (
        SELECT lead.id FROM leads_lead lead JOIN latest USING (id)
        WHERE lead.last_activity_at < latest.at
        ORDER BY lead.id FOR NO KEY UPDATE OF lead
    )
    UPDATE leads_lead lead SET last_activity_at = greatest(lead.last_activity_at, latest.at)
    FROM latest JOIN held USING (id) WHERE lead.id = latest.id
"""
#: What is known apart from events: the capture, and moves that an import told of.
_RECALL_ACTIVITY = """
    UPDATE leads_lead lead SET last_activity_at = greatest(
        lead.created_at, %s::timestamptz,
        (SELECT max(move.started_at) FROM leads_stageinterval move
         WHERE move.lead_id = lead.id AND move.is_imported)
    ) WHERE lead.id = %s
"""


def assign_lead(*, lead_id: int, owner: User | None, team: SalesTeam | None) -> None:
    """Write down who holds a lead: a person, a team's pool (``team`` alone) or nobody."""
    Lead.objects.filter(pk=lead_id).update(owner=owner, team=team)


def record_activity(*, latest: Mapping[int, datetime]) -> None:
    """Bring forward when each lead was last active; an older time changes nothing."""
    if not latest:
        return
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_ACTIVITY, [list(latest), list(latest.values())])


def lock_leads(lead_ids: Sequence[int]) -> None:
    """Let nobody else change these leads until the transaction ends; in one order."""
    leads = Lead.objects.filter(pk__in=lead_ids).order_by("pk")
    list(leads.select_for_update(no_key=True).values_list("pk", flat=True))


def recall_activity(*, lead_id: int, latest: datetime | None) -> None:
    """Set anew when a lead was last active, after something it did turned out not to be its own.

    Lock the lead before looking for ``latest``: what is recorded meanwhile would be forgotten.

    Args:
        lead_id: the lead.
        latest: when it did the last of what is left; None when that is nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RECALL_ACTIVITY, [latest, lead_id])


def set_next_step(*, lead_id: int, next_step: str, next_step_at: datetime | None) -> None:
    """Write down what happens next with a lead, and when; blank clears it.

    Raises:
        InstantInvalid: when the time lies outside of the years that are known.
        LeadInvalid: when the text is too long or no text.
    """
    if next_step_at:
        check_instant(next_step_at)
    text = _text("next_step", next_step, limit=200)
    Lead.objects.filter(pk=lead_id).update(
        next_step=text, next_step_at=next_step_at if text else None
    )


@transaction.atomic
def add_note(*, lead_id: int, author: User, text: str, now: datetime) -> Note:
    """Keep what a person wrote about a lead, or about the one that it is by now.

    Raises:
        LeadInvalid: when the text is blank, too long or no text.
    """
    words = _text("text", text, limit=5000)
    if not words:
        raise LeadInvalid({"text": "is empty"})
    standing_id = survivor_of(lead_id=lead_id)
    return Note.objects.create(lead_id=standing_id, author=author, text=words, created_at=now)


def _text(field: str, text: str, *, limit: int) -> str:
    try:
        words = clean_text(text)
    except NotText as problem:
        raise LeadInvalid({field: str(problem)}) from problem
    if len(words) > limit:
        raise LeadInvalid({field: f"is longer than {limit} characters"})
    return words
