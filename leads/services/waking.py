"""Waking recycled leads: on their day, or by what they do."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from leads.models import Lead
from leads.signals import leads_woken

#: Leads of one round. Our choice: a round takes milliseconds.
BATCH = 500

#: The condition stands twice: within it finds the rows by two small indexes, without it is asked
#: again of each row once that is held.
_WAKE = """
    WITH due AS (
        SELECT id, wake_at, least(wake_at, CASE WHEN wakes_on_act AND last_activity_at > stage_since
            THEN last_activity_at END) AS at
        FROM leads_lead
        WHERE id IN (
            SELECT id FROM leads_lead WHERE wake_at <= %(now)s
            UNION ALL
            SELECT id FROM leads_lead WHERE wakes_on_act AND last_activity_at <= %(now)s
                AND last_activity_at > stage_since
        ) AND stage = 'RECYCLED' AND merged_into_id IS NULL AND (wake_at <= %(now)s
            OR (wakes_on_act AND last_activity_at > stage_since AND last_activity_at <= %(now)s))
        LIMIT %(batch)s FOR NO KEY UPDATE SKIP LOCKED
    ), told AS (
        UPDATE leads_stageinterval stay
        SET woken_at = due.at, is_woken_by_act = due.at IS DISTINCT FROM due.wake_at
        FROM due WHERE due.id = stay.lead_id AND stay.ended_at IS NULL
    )
    UPDATE leads_lead lead SET woken_at = due.at, wake_at = NULL, wakes_on_act = false
    FROM due WHERE due.id = lead.id RETURNING lead.id
"""


@transaction.atomic
def wake_leads(*, now: datetime) -> int:
    """Wake the recycled leads whose time has come, tell of them, and return how many.

    Their stay in the stage keeps it for the timeline, where the next move cannot take it away.
    Each wakes once a cycle, dated by its day or its act, not by this sweep: waking takes away what
    made it due. Safe to repeat and to run beside itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, {"now": now, "batch": BATCH})
        woken = sorted(lead_id for (lead_id,) in cursor.fetchall())
    if woken:
        leads_woken.send(sender=Lead, lead_ids=woken, now=now)
    return len(woken)
