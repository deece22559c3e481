"""Evidence stops clocks when it happened; what was written down late proves nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from handoff.enums import ClockKind, HandoffState, TouchChannel, TouchOutcome
from handoff.evidence import BACKDATED_AFTER
from handoff.models import Handoff, Touch
from handoff.services import EvidenceRefused, enforce_deadlines, log_touch, snooze_handoff
from leads.enums import LifecycleStage
from leads.models import Lead
from tests.factories import NOW
from tests.handoff.factories import clock_of, holder_of, make_calendar, make_handoff

pytestmark = pytest.mark.django_db

CALLED = NOW + timedelta(minutes=30)


def _log(handoff: Handoff, at: datetime = CALLED, **fields: Any) -> Touch:
    defaults: dict[str, Any] = {
        "handoff_id": handoff.pk,
        "rep": holder_of(handoff),
        "channel": TouchChannel.CALL,
        "outcome": TouchOutcome.NO_ANSWER,
        "occurred_at": at,
        "now": at,
    }
    return log_touch(**{**defaults, **fields})


@pytest.mark.parametrize(
    ("channel", "outcome"),
    [
        (TouchChannel.CALL, TouchOutcome.CONNECTED),
        (TouchChannel.CALL, TouchOutcome.NO_ANSWER),
        (TouchChannel.CALL, TouchOutcome.LEFT_MESSAGE),
        (TouchChannel.CALL, TouchOutcome.WRONG_NUMBER),
        (TouchChannel.EMAIL, TouchOutcome.SENT),
        (TouchChannel.MEETING, TouchOutcome.BOOKED),
    ],
)
def test_every_logged_act_with_an_outcome_is_a_touch(
    channel: TouchChannel, outcome: TouchOutcome
) -> None:
    make_calendar()
    handoff = make_handoff()

    _log(handoff, channel=channel, outcome=outcome)

    handoff.refresh_from_db()
    assert (handoff.state, handoff.attempts) == (HandoffState.WORKING, 1)
    assert handoff.first_touch_at == CALLED
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).stopped_at == CALLED
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).elapsed == timedelta(minutes=30)


def test_a_touch_of_an_offered_handoff_accepts_it_too() -> None:
    handoff = make_handoff()

    _log(handoff)

    assert clock_of(handoff, ClockKind.ACCEPT).stopped_at == CALLED
    assert Lead.objects.get(pk=handoff.lead_id).stage == LifecycleStage.SAL
    assert clock_of(handoff, ClockKind.VERDICT).stopped_at is None


def test_a_touch_counts_from_when_it_happened_not_from_when_it_was_written() -> None:
    handoff = make_handoff()
    due_at = clock_of(handoff, ClockKind.FIRST_TOUCH).due_at

    _log(handoff, at=due_at, now=due_at + BACKDATED_AFTER)

    clock = clock_of(handoff, ClockKind.FIRST_TOUCH)
    assert (clock.stopped_at, clock.breached_at) == (due_at, None)


def test_a_touch_after_the_due_time_is_late_even_if_no_sweep_ran() -> None:
    handoff = make_handoff()
    due_at = clock_of(handoff, ClockKind.FIRST_TOUCH).due_at

    _log(handoff, at=due_at + timedelta(seconds=1))

    assert clock_of(handoff, ClockKind.FIRST_TOUCH).breached_at == due_at


def test_late_stays_late_whatever_comes_after() -> None:
    handoff = make_handoff()
    due_at = clock_of(handoff, ClockKind.FIRST_TOUCH).due_at
    enforce_deadlines(now=due_at + timedelta(hours=1))

    _log(handoff, at=due_at + timedelta(hours=2))
    _log(handoff, at=due_at + timedelta(hours=3), outcome=TouchOutcome.CONNECTED)

    clock = clock_of(handoff, ClockKind.FIRST_TOUCH)
    assert (clock.breached_at, clock.stopped_at) == (due_at, due_at + timedelta(hours=2))


def test_evidence_in_time_lifts_a_breach_that_was_recorded_before_it_was_written() -> None:
    handoff = make_handoff()
    due_at = clock_of(handoff, ClockKind.FIRST_TOUCH).due_at
    enforce_deadlines(now=due_at + timedelta(seconds=2))
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).breached_at == due_at

    _log(handoff, at=due_at - timedelta(minutes=5), now=due_at + timedelta(minutes=3))

    assert clock_of(handoff, ClockKind.FIRST_TOUCH).breached_at is None


def test_a_backdated_touch_is_marked_and_stops_no_first_touch_clock() -> None:
    handoff = make_handoff()
    written_at = CALLED + BACKDATED_AFTER + timedelta(seconds=1)

    touch = _log(handoff, at=CALLED, now=written_at)

    handoff.refresh_from_db()
    assert touch.is_backdated
    assert (handoff.attempts, handoff.first_touch_at) == (1, None)
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).stopped_at is None
    assert clock_of(handoff, ClockKind.ACCEPT).stopped_at == written_at


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"occurred_at": CALLED + timedelta(seconds=1), "now": CALLED}, "once it has happened"),
        ({"occurred_at": NOW - timedelta(seconds=1), "now": CALLED}, "add it as a note"),
        ({"channel": TouchChannel.EMAIL, "outcome": TouchOutcome.CONNECTED}, "ends with one of"),
    ],
    ids=["in the future", "before the handoff", "impossible outcome"],
)
def test_unbelievable_evidence_is_refused_and_changes_nothing(
    fields: dict[str, Any], advice: str
) -> None:
    handoff = make_handoff()

    with pytest.raises(EvidenceRefused, match=advice):
        _log(handoff, **fields)

    handoff.refresh_from_db()
    assert (handoff.state, handoff.attempts) == (HandoffState.OFFERED, 0)
    assert handoff.clocks.running().count() == 3


def test_a_touch_ends_a_snooze() -> None:
    handoff = make_handoff()
    snooze_handoff(
        handoff_id=handoff.pk,
        rep=holder_of(handoff),
        until=NOW + timedelta(days=1),
        reason="Back tomorrow",
        now=NOW,
    )

    _log(handoff)

    handoff.refresh_from_db()
    assert handoff.snoozed_until is None
