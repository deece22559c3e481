"""Leads are disqualified around their deadlines while real processes sweep."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from crm.accounts.models import User
from crm.common.models import Notification
from handoff.enums import HandoffState
from handoff.models import Clock, Handoff
from handoff.models.clock import ClockQuerySet
from leads.enums import LifecycleStage
from leads.services import change_stage
from tests.concurrency import side_by_side
from tests.faults.background import Background
from tests.faults.deadlines import begin, falling_due, left_to_record
from tests.processes import wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(600),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

NUMBER = 240
STEP = timedelta(milliseconds=40)
PATIENCE = 120


def test_disqualifying_during_the_sweep_breaches_what_was_late_and_nothing_else(
    background: Background, rep: User
) -> None:
    handoffs = falling_due(rep, number=NUMBER, first=timezone.now() + timedelta(days=1), step=STEP)
    begin()
    due = dict(Clock.objects.values_list("handoff", "due_at"))
    early, late, left = handoffs[::6], handoffs[3::6], [*handoffs[1::3], *handoffs[2::3]]

    outcomes = side_by_side(
        lambda: _disqualify({each: due[each.pk] - n * STEP for n, each in enumerate(early)}),
        lambda: _disqualify({each: due[each.pk] for each in late}),
    )
    wait_for(lambda: not left_to_record(), seconds=PATIENCE)

    assert not [each for each in outcomes if isinstance(each, Exception)]
    ended = Clock.objects.filter(withdrawn_at__isnull=False)
    assert ended.filter(withdrawn_at__lte=F("due_at")).exists(), "nothing was ended in time"
    assert ended.filter(withdrawn_at__gt=F("due_at")).exists(), "nothing was ended late"
    _check(handoffs, left)


def _disqualify(times: Mapping[Handoff, datetime]) -> None:
    """End each lead when its time has come, by the clock of that moment."""
    for handoff, at in times.items():
        time.sleep(max((at - timezone.now()).total_seconds(), 0))
        change_stage(
            lead_id=handoff.lead_id,
            to_stage=LifecycleStage.DISQUALIFIED,
            reason="Spam",
            now=timezone.now(),
        )


def _check(handoffs: Sequence[Handoff], left: Sequence[Handoff]) -> None:
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
