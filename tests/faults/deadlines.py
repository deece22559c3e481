"""Many deadlines that fall due one after the other, and what must be true of them afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F

from crm.accounts.models import User
from crm.common.models import Notification, OutboxMessage
from handoff.enums import Alarm, ClockKind, HandoffState
from handoff.models import Clock, Handoff, HolderInterval, WorkCalendar
from handoff.models.clock import ClockQuerySet
from leads.models import Lead, StageInterval
from scoring.services import mark_due

#: The figure of the specification is 20,000; the suite takes fewer.
NUMBER = int(os.environ.get("BATON_FAULT_DEADLINES", "600"))
ALLOWED = timedelta(hours=2)

_LOG = """
CREATE TABLE breach_log (clock_id bigint, breached_at timestamptz);
CREATE FUNCTION log_breach() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO breach_log VALUES (NEW.id, NEW.breached_at); RETURN NULL; END $$;
CREATE TRIGGER log_breach AFTER UPDATE ON handoff_clock FOR EACH ROW
    WHEN (NEW.breached_at IS DISTINCT FROM OLD.breached_at) EXECUTE FUNCTION log_breach();
"""
_FORGET = (
    "DROP TRIGGER log_breach ON handoff_clock; DROP FUNCTION log_breach; DROP TABLE breach_log"
)

#: Lets what still runs fall due from a second after now on: until then nothing is hurried.
BEGIN = """
UPDATE handoff_clock SET started_at = started_at - ahead, due_at = due_at - ahead,
    first_warning_at = first_warning_at - ahead, at_risk_at = at_risk_at - ahead,
    last_warning_at = last_warning_at - ahead, escalate_at = escalate_at - ahead,
    alarm_at = alarm_at - ahead
FROM (SELECT min(due_at) - clock_timestamp() - interval '1 s' AS ahead
      FROM handoff_clock WHERE alarm_at IS NOT NULL) AS first
WHERE alarm_at IS NOT NULL
"""


@transaction.atomic
def falling_due(rep: User, *, number: int, first: datetime, step: timedelta) -> list[Handoff]:
    """Hand ``number`` leads to ``rep``, to be accepted by ``first`` and then one each ``step``."""
    long_ago = first - timedelta(days=1)
    leads = Lead.objects.bulk_create(
        Lead(
            email=f"lead{n}@{first.timestamp():.0f}.example",
            created_at=long_ago,
            stage_since=long_ago,
            last_activity_at=long_ago,
        )
        for n in range(number)
    )
    StageInterval.objects.bulk_create(
        StageInterval(lead=lead, sequence=1, stage=lead.stage, cycle=1, started_at=long_ago)
        for lead in leads
    )
    calendar = WorkCalendar.objects.get()
    handoffs = Handoff.objects.bulk_create(
        Handoff(
            lead=lead,
            cycle=1,
            team=rep.sales_team,
            holder=rep,
            calendar=calendar,
            raised_at=first + n * step - ALLOWED,
            opened_at=first + n * step - ALLOWED,
            brief={},
        )
        for n, lead in enumerate(leads)
    )
    HolderInterval.objects.bulk_create(
        HolderInterval(handoff=each, holder=rep, started_at=each.opened_at) for each in handoffs
    )
    Clock.objects.bulk_create(_clock(each) for each in handoffs)
    mark_due(lead_ids=[lead.pk for lead in leads], now=first, is_news=False)
    return handoffs


def _clock(handoff: Handoff) -> Clock:
    """Return the accept clock of ``handoff``, warned of twice already."""
    due_at = handoff.opened_at + ALLOWED
    return Clock(
        handoff=handoff,
        kind=ClockKind.ACCEPT,
        target=ALLOWED,
        started_at=handoff.opened_at,
        first_warning_at=handoff.opened_at + ALLOWED / 2,
        at_risk_at=handoff.opened_at + ALLOWED * 0.75,
        last_warning_at=handoff.opened_at + ALLOWED * 0.8,
        due_at=due_at,
        escalate_at=due_at,
        answerable=handoff.holder,
        alarm=Alarm.BREACH,
        alarm_at=due_at,
    )


@contextmanager
def breaches_logged() -> Iterator[None]:
    """Have the database write down each change of a breach while the block runs."""
    with connection.cursor() as cursor:
        cursor.execute(_LOG)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET)


def begin() -> None:
    """Let what was put far ahead fall due from now on."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)


def left_to_record() -> int:
    """Count the clocks that owe a breach now or later."""
    return Clock.objects.filter(alarm_at__isnull=False).count()


def check_breaches(missed: Sequence[Handoff], *, answered: Sequence[Handoff] = ()) -> None:
    """See that each of ``missed`` was breached once, dated right, and told once to each person."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_id, breached_at FROM breach_log ORDER BY clock_id")
        logged = cursor.fetchall()
    clocks = Clock.objects.filter(handoff__in=missed).order_by("pk")
    assert logged == list(clocks.values_list("pk", "due_at"))
    kept = Clock.objects.filter(handoff__in=answered)
    assert kept.kept().filter(breached_at__isnull=True).count() == len(answered)
    lines = Notification.objects.filter(key__endswith=":breach")
    of_person = lines.values("recipient", "key").annotate(times=Count("pk"))
    assert not of_person.filter(times__gt=1).exists()
    told = lines.values("key").distinct().count()
    assert told == len(missed), "somebody was not told, or for nothing"
    mails = OutboxMessage.objects.filter(key__contains=":breach:").values("key")
    assert mails.count() == mails.distinct().count() == lines.count()


def check_owners(handoffs: Sequence[Handoff]) -> None:
    """See that each handoff is in one pair of hands."""
    current = HolderInterval.objects.filter(handoff__in=handoffs, ended_at__isnull=True)
    assert current.count() == len(handoffs)
    for interval in current.select_related("handoff__lead"):
        owner = interval.handoff.lead.owner_id or interval.holder_id
        assert interval.holder_id == interval.handoff.holder_id == owner


def check_ended(handoffs: Sequence[Handoff], left: Sequence[Handoff]) -> None:
    """See that each clock that was late is breached once, dated right, and no other."""
    clocks = Clock.objects.filter(handoff__in=handoffs)
    in_time = clocks.filter(withdrawn_at__lte=F("due_at"))
    assert not in_time.filter(breached_at__isnull=False).exists()
    breached = clocks.exclude(pk__in=in_time.values("pk"))
    assert not breached.exclude(breached_at=F("due_at")).exists()
    assert list(breached.order_by("pk").values_list("pk", "due_at")) == _logged(breached)
    assert Clock.objects.filter(handoff__in=left, withdrawn_at=None).count() == len(left)
    withdrawn = Handoff.objects.filter(state=HandoffState.WITHDRAWN).order_by("pk")
    assert {each.pk for each in withdrawn} == {each.pk for each in handoffs} - {
        each.pk for each in left
    }
    told = list(
        Notification.objects.filter(key__endswith=":breach").values_list("recipient", "key")
    )
    assert len(told) == len(set(told))
    of = {int(key.split(":")[1]) for _, key in told}
    assert {each.pk for each in left} <= of <= set(breached.values_list("handoff", flat=True))


def _logged(clocks: ClockQuerySet) -> list[Any]:
    """Return each time that a breach of ``clocks`` was written."""
    ids = list(clocks.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM breach_log WHERE clock_id = ANY(%s) ORDER BY 1", [ids])
        return list(cursor.fetchall())
