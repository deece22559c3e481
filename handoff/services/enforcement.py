"""The sweep that warns and breaches. The database is the clock: nothing is lost when it sleeps.

It takes handoffs whose alarms are due, past those that others work on, and records per clock what
is owed at ``now``: each warning at most once, a breach dated by its due time. Answers lock the same
rows, so the sweep sees them before or after, never in between. After an outage the warnings that
were overtaken are dropped, and there is one message per handoff, about the worst of it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import Case, F, When
from psycopg.sql import SQL

from crm.accounts.models import User
from crm.common import health
from crm.common.notifications import notify_all
from crm.common.prepared import PreparedQuery, prepared
from crm.common.singly import do_singly
from handoff.models import LONGEST_ERROR, Clock, Handoff, WorkCalendar
from handoff.services.alarms import Audience, DueClock, DueHandoff, news_of
from handoff.services.timeouts import time_out_handoffs
from leads.models import name_of

logger = logging.getLogger(__name__)

LOOP = "enforce_deadlines"
BATCH = 100
#: The backlog is counted up to here; more is "many" all the same.
MOST_COUNTED = 1000

#: A handoff whose alarm cannot be recorded is tried again after this, and less often once a person
#: has to look; the others go on meanwhile. It is never given up: a breach is a fact.
RETRY_AFTER = timedelta(minutes=1)
RETRY_AT_LAST_AFTER = timedelta(hours=1)
ATTEMPTS = 5

_DUE = PreparedQuery(
    lambda now: (
        Clock.objects.alarming(now).order_by("alarm_at").values_list("alarm_at")[:MOST_COUNTED]
    )
)
_PUT_OFF = PreparedQuery(
    lambda now: Clock.objects.put_off(now).order_by("due_at").values_list("due_at")[:MOST_COUNTED]
)
#: What is owed at $1 of the handoffs $2: done, and told as it was before with all that a message
#: says, in one way there and back.
_ADVANCE = SQL("""
    UPDATE handoff_clock AS clock SET
        breached_at = CASE WHEN clock.due_at < $1 THEN clock.due_at END,
        alarm = CASE WHEN escalate_at < $1 THEN '' WHEN clock.due_at < $1 THEN 'ESCALATE'
            WHEN last_warning_at < $1 THEN 'BREACH' ELSE 'LAST' END,
        alarm_at = CASE WHEN escalate_at < $1 THEN NULL WHEN clock.due_at < $1 THEN escalate_at
            WHEN last_warning_at < $1 THEN clock.due_at ELSE last_warning_at END,
        attempts = 0, last_error = ''
    FROM handoff_handoff AS handoff JOIN leads_lead AS lead ON lead.id = handoff.lead_id
    WHERE handoff.id = clock.handoff_id AND clock.alarm_at < $1 AND clock.handoff_id = ANY($2)
    RETURNING clock.id, clock.handoff_id, clock.kind, OLD.alarm, clock.last_warning_at,
        clock.due_at, clock.escalate_at, clock.reassign_at,
        handoff.holder_id, handoff.team_id, handoff.calendar_id,
        handoff.lead_id, lead.first_name, lead.last_name, lead.email
""")
#: Shared by many handoffs, so they come apart.
_HOLDERS = PreparedQuery(lambda ids: User.objects.filter(pk__among=ids))
_CALENDARS = PreparedQuery(lambda ids: WorkCalendar.objects.filter(pk__among=ids))


def enforce_deadlines(*, now: datetime, limit: int = BATCH) -> int:
    """Record up to ``limit`` of the warnings and breaches owed at ``now``, oldest first.

    Then take as many handoffs from holders whose time is up. Safe to repeat and to run in parallel.

    Returns:
        How many alarms or handoffs were taken; ``limit`` means that more may be due.
    """
    alarms = record_alarms(now=now, limit=limit)
    return max(alarms, time_out_handoffs(now=now, limit=limit))


@transaction.atomic
def record_alarms(*, now: datetime, limit: int = BATCH) -> int:
    """Record up to ``limit`` alarms in one transaction, and how many are left; return how many."""
    due = _DUE.rows(now)
    taken = [pk for (pk,) in _taking(limit).rows(now)] if due else []
    if taken:
        _record_all(list(dict.fromkeys(taken)), now)
        due = _DUE.rows(now)
    # Each in the order of its own index: of both at once the database expects far more than there
    # is, and reads the table.
    owed = [at for (at,) in (*due, *_PUT_OFF.rows(now))]
    health.beat(LOOP, now, backlog=len(owed), oldest_due_at=min(owed, default=None))
    return len(taken)


@cache
def _taking(limit: int) -> PreparedQuery[Handoff]:
    """Return the query that locks the handoffs whose alarms are the longest due.

    It goes past those that others have locked. A handoff with two due alarms comes twice.
    """
    return PreparedQuery(
        lambda now: (
            Handoff.objects.filter(clocks__alarm_at__lt=now)
            .order_by("clocks__alarm_at", "clocks__id")
            .select_for_update(of=("self",), no_key=True, skip_locked=True)
            .values_list("pk")[:limit]
        )
    )


def _record_all(handoff_ids: Sequence[int], now: datetime) -> None:
    """Record for all at once; when that fails, one by one, so that only the faulty row waits."""
    audience = Audience()
    try:
        with transaction.atomic():
            _record(handoff_ids, audience, now)
    except Exception:
        logger.exception("Could not record %s handoffs at once", len(handoff_ids))
        _record_singly(handoff_ids, audience, now)


def _record_singly(handoff_ids: Sequence[int], audience: Audience, now: datetime) -> None:
    @transaction.atomic
    def record(handoff_id: int) -> None:
        _record([handoff_id], audience, now)

    def put_off(handoff_id: int, error: Exception) -> None:
        logger.exception("Could not record the alarms of handoff %s", handoff_id)
        has_failed_before = When(attempts__gte=ATTEMPTS - 1, then=now + RETRY_AT_LAST_AFTER)
        Clock.objects.alarming(now).filter(handoff=handoff_id).update(
            attempts=F("attempts") + 1,
            last_error=str(error)[:LONGEST_ERROR],
            alarm_at=Case(has_failed_before, default=now + RETRY_AFTER),
        )

    do_singly(handoff_ids, record, give_up=put_off)


def _record(handoff_ids: Sequence[int], audience: Audience, now: datetime) -> None:
    """Advance the due clocks, now that no answer can change them, and tell people.

    The handoffs are read here, in the transaction that may fail, since reading one can fail too.
    """
    told = prepared(_ADVANCE, [now, list(handoff_ids)])
    clocks = defaultdict(list)
    for row in told:
        clocks[row["handoff_id"]].append(DueClock(*map(row.__getitem__, DueClock._fields)))
    notify_all(
        [
            news_of(handoff, clocks[handoff.id], audience, now=now)
            for handoff in _handoffs_among(told)
        ],
        now=now,
    )


def _handoffs_among(told: Sequence[Mapping[str, Any]]) -> list[DueHandoff]:
    """Return each handoff of the clocks that were advanced once."""
    of_handoff = {row["handoff_id"]: row for row in told}
    holders = {each.pk: each for each in _HOLDERS.ask(_some(of_handoff, "holder_id"))}
    calendars = _CALENDARS.ask(_some(of_handoff, "calendar_id"))
    zones = {each.pk: each.hours.timezone for each in calendars}
    return [
        DueHandoff(
            id=handoff_id,
            lead_name=name_of(row["lead_id"], row["first_name"], row["last_name"], row["email"]),
            holder=holders.get(row["holder_id"]),
            team_id=row["team_id"],
            zone=zones[row["calendar_id"]],
        )
        for handoff_id, row in of_handoff.items()
    ]


def _some(of_handoff: Mapping[int, Mapping[str, Any]], name: str) -> list[int]:
    return list({row[name] for row in of_handoff.values()} - {None})
