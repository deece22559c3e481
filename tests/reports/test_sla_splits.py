"""Where the time of a period went: the split clocks of its handoffs, added up beforehand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random

import pytest

from crm.accounts.models import User
from crm.reports.compliance import compliance
from crm.reports.standing import NOBODY, By, Scope, clocks
from handoff.enums import Approval, ClockKind, ExcuseReason, HandoffState
from handoff.models import Excuse, Handoff, HolderInterval
from handoff.split_clock import totals
from handoff.splits import split_clocks
from tests.factories import NOW, make_user
from tests.reports.factories import DAY, HOUR, TODAY, Desk, count_all, open_one, period

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_zones")]


def assert_split_is_that_of_its_rows(scope: Scope, now: datetime) -> None:
    """Compare where the time of a period went with the split clock of each of its handoffs."""
    found = compliance(scope, By.REP, since=scope.start, now=now).split
    over = clocks(scope, now=now).exclude(handoff__first_touch_at=None, handoff__closed_at=None)
    ids = list(over.values_list("handoff", flat=True))
    expected = totals(split_clocks(ids, now=now).values())
    assert found.handoffs == len(ids)
    assert {kind: span for kind, span in found.spent.items() if span} == {
        kind: span for kind, span in expected.items() if span
    }


def hold(handoff: Handoff, rep: User, started_at: datetime, ended_at: datetime | None) -> None:
    HolderInterval.objects.create(
        handoff=handoff, holder=rep, started_at=started_at, ended_at=ended_at
    )


def excuse(handoff: Handoff, started_at: datetime) -> None:
    """Grant an excuse of an hour for the first touch of ``handoff``."""
    asked_by, decided_by = make_user(), make_user()
    Excuse.objects.create(
        clock=handoff.clocks.get(kind=ClockKind.FIRST_TOUCH), reason=ExcuseReason.values[0],
        started_at=started_at, ended_at=started_at + HOUR, asked_by=asked_by, asked_at=TODAY,
        approval=Approval.GRANTED, decided_by=decided_by, decided_at=TODAY,
    )  # fmt: skip


SPLIT_CHANGES: dict[str, Callable[[Desk, Handoff], object]] = {
    "touch": lambda _, handoff: Handoff.objects.filter(pk=handoff.pk).update(
        first_touch_at=handoff.opened_at + 3 * HOUR
    ),
    "re-opening": lambda _, handoff: Handoff.objects.filter(pk=handoff.pk).update(
        state=HandoffState.WORKING, closed_at=None
    ),
    "earlier hand-raise": lambda _, handoff: Handoff.objects.filter(pk=handoff.pk).update(
        raised_at=handoff.raised_at - HOUR
    ),
    "holder": lambda desk, handoff: hold(handoff, desk.reps[1], handoff.opened_at + 4 * HOUR, None),
    "former holder": lambda _, handoff: HolderInterval.objects.filter(handoff=handoff).update(
        holder=None
    ),
    "excuse": lambda _, handoff: excuse(handoff, handoff.opened_at + HOUR),
    "removal": lambda _, handoff: HolderInterval.objects.filter(handoff=handoff).delete(),
}


@pytest.mark.parametrize("change", SPLIT_CHANGES)
def test_where_the_time_of_a_period_went_is_that_of_its_handoffs(desk: Desk, change: str) -> None:
    random = Random(change)
    one, other = (open_one(desk, random, NOW + day * DAY) for day in (2, 3))
    for handoff in (one, other):
        opened_at = handoff.opened_at
        hold(handoff, desk.reps[0], opened_at + HOUR, opened_at + 4 * HOUR)
    count_all(TODAY)
    scope = period(ClockKind.FIRST_TOUCH)
    assert_split_is_that_of_its_rows(scope, TODAY)

    SPLIT_CHANGES[change](desk, other)
    count_all(TODAY)

    assert_split_is_that_of_its_rows(scope, TODAY)
    narrowed = period(ClockKind.FIRST_TOUCH, only={By.TEAM: str(other.team_id or NOBODY)})
    assert_split_is_that_of_its_rows(narrowed, TODAY)
