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

from crm.accounts.models import SalesTeam, User
from crm.common import health
from crm.common.notifications import notify_all
from crm.common.prepared import PreparedQuery, prepared
from crm.common.singly import do_singly
from handoff.models import LONGEST_ERROR, Clock, Handoff, WorkCalendar
from handoff.services.alarms import Audience, DueClock, news_of
from handoff.services.timeouts import time_out_handoffs

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
#: What is owed at $1 of the handoffs $2, done and told as it was before, in one way there and back.
_ADVANCE = SQL("""
    UPDATE handoff_clock SET
        breached_at = CASE WHEN due_at < $1 THEN due_at END,
        alarm = CASE WHEN escalate_at < $1 THEN '' WHEN due_at < $1 THEN 'ESCALATE'
            WHEN last_warning_at < $1 THEN 'BREACH' ELSE 'LAST' END,
        alarm_at = CASE WHEN escalate_at < $1 THEN NULL WHEN due_at < $1 THEN escalate_at
            WHEN last_warning_at < $1 THEN due_at ELSE last_warning_at END,
        attempts = 0, last_error = ''
    WHERE alarm_at < $1 AND handoff_id = ANY($2)
    RETURNING id, handoff_id, kind, OLD.alarm, last_warning_at, due_at, escalate_at, reassign_at
""")
#: All that a message says of a handoff.
_FOR_NEWS = PreparedQuery(
    lambda handoffs: (
        Handoff.objects.filter(pk__among=handoffs)
        .select_related("lead")
        .only("holder", "team", "calendar", "lead__first_name", "lead__last_name", "lead__email")
    )
)
#: Shared by many handoffs, so they come apart.
_SHARED: Mapping[str, PreparedQuery[Any]] = {
    "holder": PreparedQuery(lambda ids: User.objects.filter(pk__among=ids)),
    "team": PreparedQuery(lambda ids: SalesTeam.objects.filter(pk__among=ids)),
    "calendar": PreparedQuery(lambda ids: WorkCalendar.objects.filter(pk__among=ids)),
}


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
    """Read the due clocks, now that no answer can change them, advance them and tell people.

    The handoffs are read here, in the transaction that may fail, since reading one can fail too.
    """
    handoffs = _for_news(handoff_ids)
    of_handoff = defaultdict(list)
    for row in prepared(_ADVANCE, [now, list(handoff_ids)]):
        of_handoff[row["handoff_id"]].append(DueClock(**row))
    notify_all(
        [
            news_of(handoff, of_handoff[handoff.pk], audience, now=now)
            for handoff in handoffs
            if of_handoff[handoff.pk]
        ],
        now=now,
    )


def _for_news(handoff_ids: Sequence[int]) -> list[Handoff]:
    """Return handoffs with all that a message says of them."""
    handoffs = _FOR_NEWS.ask(list(handoff_ids))
    for name, query in _SHARED.items():
        ids = {getattr(each, f"{name}_id") for each in handoffs} - {None}
        found = {each.pk: each for each in query.ask(list(ids))}
        for each in handoffs:
            setattr(each, name, found.get(getattr(each, f"{name}_id")))
    return handoffs
