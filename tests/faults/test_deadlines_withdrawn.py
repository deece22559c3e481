"""Leads are disqualified and merged around their deadlines while real processes sweep."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.models import Clock, Handoff
from leads.enums import LifecycleStage
from leads.models import LeadMerge
from leads.services import change_stage, merge_leads
from tests.concurrency import side_by_side
from tests.factories import make_user
from tests.faults.background import Background
from tests.faults.deadlines import begin, check_ended, falling_due, left_to_record
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
EndLead = Callable[[Handoff], object]


def test_disqualifying_during_the_sweep_breaches_what_was_late_and_nothing_else(
    background: Background, rep: User
) -> None:
    def disqualify(handoff: Handoff) -> None:
        change_stage(
            lead_id=handoff.lead_id,
            to_stage=LifecycleStage.DISQUALIFIED,
            reason="Spam",
            now=timezone.now(),
        )

    _end_around_their_deadlines(rep, disqualify)


def test_merging_during_the_sweep_breaches_what_was_late_and_nothing_else(
    background: Background, rep: User
) -> None:
    mira = make_user(Role.MARKETER)

    def merge(handoff: Handoff) -> None:
        survivor = Handoff.objects.get(pk=handoff.pk + 1)
        merge_leads(
            survivor_id=survivor.lead_id,
            merged_id=handoff.lead_id,
            actor=mira,
            now=timezone.now(),
        )

    _end_around_their_deadlines(rep, merge)

    assert LeadMerge.objects.count() == NUMBER // 3


def _end_around_their_deadlines(rep: User, end: EndLead) -> None:
    """End every third lead: half of them from the last one on, the others when they are due.

    The first half goes against the deadlines, and meets them: however slow a machine is, some are
    ended in time.
    """
    handoffs = falling_due(rep, number=NUMBER, first=timezone.now() + timedelta(days=1), step=STEP)
    begin()
    due = dict(Clock.objects.values_list("handoff", "due_at"))
    early, late, left = handoffs[-6::-6], handoffs[3::6], [*handoffs[1::3], *handoffs[2::3]]
    begun_at = min(due.values())

    outcomes = side_by_side(
        lambda: _end({each: begun_at + n * 3 * STEP for n, each in enumerate(early)}, end),
        lambda: _end({each: due[each.pk] for each in late}, end),
    )
    wait_for(lambda: not left_to_record(), seconds=PATIENCE)

    assert not [each for each in outcomes if isinstance(each, Exception)]
    ended = Clock.objects.filter(withdrawn_at__isnull=False)
    assert ended.filter(withdrawn_at__lte=F("due_at")).exists(), "nothing was ended in time"
    assert ended.filter(withdrawn_at__gt=F("due_at")).exists(), "nothing was ended late"
    check_ended(handoffs, left)


def _end(times: Mapping[Handoff, datetime], end: EndLead) -> None:
    """End each lead when its time has come, by the clock of that moment."""
    for handoff, at in times.items():
        time.sleep(max((at - timezone.now()).total_seconds(), 0))
        end(handoff)
