"""What sales has in hand of two leads that are one person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.models import Notification
from handoff.enums import ClockKind, DecisionKind, HandoffState
from handoff.models import AssignmentDecision, Clock, Handoff
from handoff.services import enforce_deadlines
from leads.enums import LifecycleStage
from leads.models import Lead, LeadMerge
from leads.services import MergeRefused, change_stage, merge_leads, propose, undo_merge
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import clock_of, make_agreement, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db

ACCEPT_BY = NOW + timedelta(hours=2)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def mira() -> User:
    make_calendar()
    make_agreement()
    return make_user(Role.MARKETER, full_name="Mira")


@pytest.fixture
def rep() -> User:
    return make_rep(make_team())


def merge(survivor: Lead, merged: Lead, by: User, *, minutes: int = 10) -> LeadMerge:
    now = NOW + minutes * MINUTE
    return merge_leads(survivor_id=survivor.pk, merged_id=merged.pk, actor=by, now=now)


def test_of_two_open_handoffs_that_of_the_survivor_goes_on(mira: User, rep: User) -> None:
    kept, gone = make_handoff(rep=rep), make_handoff(rep=rep)
    due = dict(kept.clocks.values_list("kind", "due_at"))

    merge(kept.lead, gone.lead, mira)
    enforce_deadlines(now=NOW + timedelta(days=30))

    kept.refresh_from_db()
    gone.refresh_from_db()
    assert (kept.state, gone.state) == (HandoffState.OFFERED, HandoffState.WITHDRAWN)
    assert dict(kept.clocks.values_list("kind", "due_at")) == due
    ended = gone.clocks.values_list("withdrawn_at", "breached_at")
    assert set(ended) == {(NOW + 10 * MINUTE, None)}
    told = Notification.objects.filter(key=f"handoff:{gone.pk}:withdrawn")
    assert [(line.recipient, line.body) for line in told] == [
        (rep, f"Merged into {kept.lead} by Mira. The handoff of {kept.lead} goes on.")
    ]
    ended_by = AssignmentDecision.objects.get(handoff=gone, kind=DecisionKind.ENDED)
    assert ended_by.rule == f"Merged into {kept.lead} by Mira"


def test_what_was_late_when_it_was_merged_stays_late(mira: User, rep: User) -> None:
    kept, gone = make_handoff(rep=rep), make_handoff(rep=rep)

    merge(kept.lead, gone.lead, mira, minutes=150)

    accept = clock_of(gone, ClockKind.ACCEPT)
    assert (accept.breached_at, accept.due_at) == (ACCEPT_BY, ACCEPT_BY)
    assert Clock.objects.filter(handoff=gone, breached_at__isnull=False).count() == 1


def test_the_lead_that_sales_works_with_is_kept(mira: User, rep: User) -> None:
    at_work, other = make_handoff(rep=rep).lead, make_lead(created_at=NOW - timedelta(days=9))

    assert propose(other, at_work) == (at_work, other)
    with pytest.raises(MergeRefused, match=f"Sales works with {at_work}: keep that lead"):
        merge(other, at_work, mira)


@pytest.mark.parametrize("stage", [LifecycleStage.MQL, LifecycleStage.SAL])
def test_a_lead_that_is_parted_again_is_handed_over_with_new_deadlines(
    mira: User, rep: User, stage: LifecycleStage
) -> None:
    kept, gone = make_handoff(rep=rep), make_handoff(rep=rep)
    if stage is LifecycleStage.SAL:
        change_stage(lead_id=gone.lead_id, to_stage=stage, now=NOW + MINUTE, actor=rep)
    made, parted_at = merge(kept.lead, gone.lead, mira), NOW + timedelta(hours=1)

    undo_merge(merge_id=made.pk, actor=mira, now=parted_at)

    anew = Handoff.objects.open().get(lead=gone.lead)
    assert anew != gone
    assert clock_of(anew, ClockKind.ACCEPT).due_at == parted_at + timedelta(hours=2)
    assert Lead.objects.get(pk=gone.lead_id).stage == LifecycleStage.MQL
    gone.refresh_from_db()
    assert gone.state == HandoffState.WITHDRAWN
    assert kept.clocks.running().count() == 3
