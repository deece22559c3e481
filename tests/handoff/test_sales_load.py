"""The load that back-tests are told of is the load that the compliance page shows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm.reports.compliance import compliance
from crm.reports.standing import By, Scope
from handoff.enums import ClockKind, RejectionReason
from handoff.sales_load import sales_load
from handoff.services import reject_handoff
from tests.factories import NOW
from tests.handoff.factories import clock_of, holder_of, make_calendar, make_handoff

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
LATER = NOW + timedelta(days=2)


def test_what_was_due_in_a_week_is_what_the_page_counts() -> None:
    make_calendar()
    running, late, later, excused, withdrawn = (make_handoff() for _ in range(5))
    for handoff, at in ((late, NOW + 5 * HOUR), (later, NOW + 6 * HOUR), (withdrawn, NOW + HOUR)):
        reject_handoff(
            handoff_id=handoff.pk, rep=holder_of(handoff), reason=RejectionReason.TOO_EARLY, now=at
        )
    excused.clocks.update(excused_at=LATER)
    assert clock_of(running, ClockKind.FIRST_TOUCH).stopped_at is None

    load = sales_load(NOW - HOUR, NOW + HOUR, LATER)

    scope = Scope(ClockKind.FIRST_TOUCH, NOW - HOUR, NOW + HOUR)
    whole = compliance(scope, By.REP, since=NOW - 3 * HOUR, now=LATER).whole
    assert [(each["due"], each["on_time"]) for each in load["weeks"]] == [(3, 0)]
    assert (whole.due, whole.on_time) == (3, 0)
