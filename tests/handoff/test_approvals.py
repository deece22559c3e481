"""Late evidence and excuses: what a manager's word changes, and what stays as it was."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.models import Notification
from handoff.enums import (
    Approval,
    ClockKind,
    ExcuseReason,
    RejectionReason,
    TouchChannel,
    TouchOutcome,
)
from handoff.models import Clock, Excuse, Handoff, Touch
from handoff.services import (
    DecisionRefused,
    ExcuseRefused,
    ask_excuse,
    decide_excuse,
    decide_touch,
    enforce_deadlines,
    log_touch,
    reassign_handoff,
    reject_handoff,
)
from tests.factories import NOW, make_team, make_user
from tests.handoff.factories import clock_of, holder_of, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
#: The default policy gives four hours to the first touch; ``NOW`` is 11:00 in Berlin.
TOUCH_DUE = NOW + 4 * HOUR
LATER = TOUCH_DUE + HOUR


@pytest.fixture
def handoff(db: None) -> Handoff:
    make_calendar()
    return make_handoff()


@pytest.fixture
def manager(db: None) -> User:
    return make_user(Role.MANAGER)


def late_touch(handoff: Handoff, *, at: datetime = NOW + HOUR, now: datetime = LATER) -> Touch:
    """Write down a call of ``at`` at ``now``."""
    return log_touch(
        handoff_id=handoff.pk,
        rep=holder_of(handoff),
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.CONNECTED,
        occurred_at=at,
        now=now,
    )


def asked(handoff: Handoff, kind: ClockKind = ClockKind.ACCEPT, **changes: Any) -> Excuse:
    """Ask for the first hour of a missed clock to be excused, after everything was due."""
    defaults: dict[str, Any] = {
        "clock_id": clock_of(handoff, kind).pk,
        "asker": holder_of(handoff),
        "reason": ExcuseReason.OUTAGE,
        "started_at": NOW,
        "ended_at": NOW + HOUR,
        "now": LATER,
    }
    return ask_excuse(**{**defaults, **changes})


def touch_clock(handoff: Handoff) -> Clock:
    return clock_of(handoff, ClockKind.FIRST_TOUCH)


def test_late_evidence_counts_once_a_manager_approves_it(handoff: Handoff, manager: User) -> None:
    enforce_deadlines(now=LATER)
    touch = late_touch(handoff)
    before = touch_clock(handoff)

    decide_touch(touch_id=touch.pk, decider=manager, grant=True, now=LATER + HOUR)

    after = touch_clock(handoff)
    assert (touch.approval, before.stopped_at, before.breached_at) == (
        Approval.PENDING,
        None,
        TOUCH_DUE,
    )
    assert (after.stopped_at, after.breached_at, after.elapsed) == (NOW + HOUR, None, HOUR)
    assert clock_of(handoff, ClockKind.ACCEPT).stopped_at == NOW + HOUR
    handoff.refresh_from_db()
    assert (handoff.first_touch_at, handoff.connected_at) == (NOW + HOUR, NOW + HOUR)


def test_late_evidence_that_is_not_approved_changes_nothing(
    handoff: Handoff, manager: User
) -> None:
    touch = late_touch(handoff)

    decide_touch(touch_id=touch.pk, decider=manager, grant=False, now=LATER)

    clock = touch_clock(handoff)
    handoff.refresh_from_db()
    assert (clock.stopped_at, handoff.first_touch_at) == (None, None)


def test_late_stays_late_when_the_evidence_itself_was_late(handoff: Handoff, manager: User) -> None:
    at = TOUCH_DUE + timedelta(minutes=1)
    touch = late_touch(handoff, at=at)

    decide_touch(touch_id=touch.pk, decider=manager, grant=True, now=LATER)

    clock = touch_clock(handoff)
    assert (clock.stopped_at, clock.breached_at) == (at, TOUCH_DUE)


def test_approved_evidence_counts_for_who_held_the_handoff_then(
    handoff: Handoff, manager: User
) -> None:
    first = holder_of(handoff)
    touch = late_touch(handoff)
    reassign_handoff(
        handoff_id=handoff.pk, to=make_rep(make_team()), actor=manager, reason="", now=LATER
    )

    decide_touch(touch_id=touch.pk, decider=manager, grant=True, now=LATER)

    assert touch_clock(handoff).answerable == first


def test_evidence_approved_after_the_end_of_the_handoff_counts(
    handoff: Handoff, manager: User
) -> None:
    touch = late_touch(handoff)
    Handoff.objects.filter(pk=handoff.pk).update(state="OFFERED")
    reject_handoff(
        handoff_id=handoff.pk, rep=touch.rep, reason=RejectionReason.TOO_EARLY, now=LATER
    )

    decide_touch(touch_id=touch.pk, decider=manager, grant=True, now=LATER)

    clock = touch_clock(handoff)
    assert (clock.stopped_at, clock.withdrawn_at) == (NOW + HOUR, None)


def test_nobody_approves_their_own_evidence_or_twice_or_without_the_role(
    handoff: Handoff, manager: User
) -> None:
    rep = holder_of(handoff)
    touch = late_touch(handoff)
    User.objects.filter(pk=rep.pk).update(roles=[Role.REP, Role.MANAGER])
    rep.refresh_from_db()

    for decider in (rep, make_user(Role.REP), make_user(Role.MARKETER)):
        with pytest.raises(DecisionRefused):
            decide_touch(touch_id=touch.pk, decider=decider, grant=True, now=LATER)
    decide_touch(touch_id=touch.pk, decider=manager, grant=False, now=LATER)
    with pytest.raises(DecisionRefused, match="decided already"):
        decide_touch(touch_id=touch.pk, decider=manager, grant=True, now=LATER)


def test_nobody_decides_on_a_deadline_of_their_own(handoff: Handoff, manager: User) -> None:
    rep = holder_of(handoff)
    User.objects.filter(pk=rep.pk).update(roles=[Role.REP, Role.MANAGER])
    rep.refresh_from_db()
    excuse = asked(handoff, asker=manager)
    touch = log_touch(
        handoff_id=handoff.pk,
        rep=manager,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.CONNECTED,
        occurred_at=NOW + HOUR,
        now=LATER,
    )

    with pytest.raises(DecisionRefused, match="Somebody else"):
        decide_excuse(excuse_id=excuse.pk, decider=rep, grant=True, now=LATER)
    with pytest.raises(DecisionRefused, match="Somebody else"):
        decide_touch(touch_id=touch.pk, decider=rep, grant=True, now=LATER)


def test_what_was_kept_after_all_is_not_excused(handoff: Handoff, manager: User) -> None:
    excuse = asked(handoff, kind=ClockKind.FIRST_TOUCH)
    decide_touch(touch_id=late_touch(handoff).pk, decider=manager, grant=True, now=LATER)

    with pytest.raises(DecisionRefused, match="kept after all"):
        decide_excuse(excuse_id=excuse.pk, decider=manager, grant=True, now=LATER)
    decide_excuse(excuse_id=excuse.pk, decider=manager, grant=False, now=LATER)

    assert touch_clock(handoff).excused_at is None


def test_the_database_knows_no_approval_by_oneself(handoff: Handoff) -> None:
    touch = late_touch(handoff)

    with pytest.raises(IntegrityError, match="touch_approved_by_another"), transaction.atomic():
        Touch.objects.filter(pk=touch.pk).update(
            approval=Approval.GRANTED, decided_by=touch.rep, decided_at=LATER
        )


def test_an_excused_breach_stays_recorded(handoff: Handoff, manager: User) -> None:
    enforce_deadlines(now=LATER)
    excuse = asked(handoff)
    before = clock_of(handoff, ClockKind.ACCEPT)

    decide_excuse(excuse_id=excuse.pk, decider=manager, grant=True, now=LATER)

    after = clock_of(handoff, ClockKind.ACCEPT)
    assert (before.excused_at, after.excused_at) == (None, LATER)
    assert after.breached_at == before.breached_at == after.due_at


def test_managers_are_asked_and_the_asker_is_answered(handoff: Handoff, manager: User) -> None:
    excuse = asked(handoff, note="Trunk line down")

    decide_excuse(
        excuse_id=excuse.pk, decider=manager, grant=False, answer="It was up again", now=LATER
    )

    to_manager = Notification.objects.get(recipient=manager, key__contains=":excuse:")
    to_rep = Notification.objects.get(recipient=excuse.asked_by, key__endswith=":decided")
    assert "Trunk line down" in to_manager.body
    assert to_rep.title.startswith("Excuse refused")
    assert clock_of(handoff, ClockKind.ACCEPT).excused_at is None


def test_a_refused_excuse_can_be_asked_for_anew_one_that_stands_cannot(
    handoff: Handoff, manager: User
) -> None:
    decide_excuse(excuse_id=asked(handoff).pk, decider=manager, grant=False, now=LATER)
    asked(handoff)

    with pytest.raises(ExcuseRefused, match="an excuse for this deadline already"):
        asked(handoff)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"started_at": NOW + HOUR, "ended_at": NOW}, "ends before it begins"),
        ({"ended_at": LATER + HOUR}, "in the future"),
        ({"started_at": NOW - HOUR}, "outside of the time"),
    ],
)
def test_a_stretch_that_cannot_be_is_refused(
    handoff: Handoff, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ExcuseRefused, match=problem):
        asked(handoff, **changes)


def test_only_a_missed_deadline_of_ones_own_is_excused(handoff: Handoff, manager: User) -> None:
    with pytest.raises(ExcuseRefused, match="not missed"):
        asked(handoff, kind=ClockKind.VERDICT)
    with pytest.raises(ExcuseRefused, match="Who let the deadline pass"):
        asked(handoff, asker=make_rep(make_team()))

    assert asked(handoff, asker=manager).asked_by == manager


def test_nobody_grants_their_own_excuse(handoff: Handoff, manager: User) -> None:
    excuse = asked(handoff, asker=manager)

    with pytest.raises(DecisionRefused, match="Somebody else"):
        decide_excuse(excuse_id=excuse.pk, decider=manager, grant=True, now=LATER)
    with pytest.raises(IntegrityError, match="excuse_granted_by_another"), transaction.atomic():
        Excuse.objects.filter(pk=excuse.pk).update(
            approval=Approval.GRANTED, decided_by=manager, decided_at=LATER
        )
