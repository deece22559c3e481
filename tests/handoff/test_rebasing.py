"""A new agreement moves no open deadline, until somebody says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from crm.common.models import Notification
from handoff.enums import ClockKind
from handoff.models import Agreement, Handoff
from handoff.services import (
    RebaseRefused,
    TierTerms,
    enforce_deadlines,
    preview_rebase,
    rebase_handoffs,
)
from tests.factories import NOW, client_of, make_user
from tests.handoff.factories import (
    BERLIN_WEEK,
    clock_of,
    make_agreement,
    make_calendar,
    make_handoff,
    overlapping,
)
from tests.handoff.telling import sales_entries

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
SOON = NOW + HOUR / 2


def terms(accept: timedelta) -> TierTerms:
    return TierTerms(
        name="Everybody",
        accept_within=accept,
        first_touch_within=4 * HOUR,
        verdict_within=18 * HOUR,
    )


@pytest.fixture
def handoff(db: None) -> Handoff:
    """A handoff to accept within two hours."""
    make_calendar()
    make_agreement(terms(2 * HOUR))
    return make_handoff()


def agreed(accept: timedelta) -> Agreement:
    """Put the next version in force."""
    return make_agreement(terms(accept))


def rebased(agreement: Agreement) -> int:
    manager = make_user(Role.MANAGER)
    return rebase_handoffs(version=agreement.version, actor=manager, now=SOON)


def test_a_new_version_alone_moves_nothing(handoff: Handoff) -> None:
    before = list(handoff.clocks.values())

    agreement = agreed(HOUR)
    [preview] = preview_rebase(agreement, now=SOON)

    assert list(handoff.clocks.values()) == before
    [move] = preview.moves
    assert (move.clock.kind, move.clock.due_at, move.due_at) == (
        ClockKind.ACCEPT,
        NOW + 2 * HOUR,
        NOW + HOUR,
    )


def test_rebasing_does_what_its_preview_says(handoff: Handoff) -> None:
    agreement = agreed(3 * HOUR)
    touch = clock_of(handoff, ClockKind.FIRST_TOUCH)

    assert (rebased(agreement), rebased(agreement)) == (1, 0)

    handoff.refresh_from_db()
    accept = clock_of(handoff, ClockKind.ACCEPT)
    assert (handoff.agreement, accept.due_at, accept.target) == (
        agreement,
        NOW + 3 * HOUR,
        3 * HOUR,
    )
    assert clock_of(handoff, ClockKind.FIRST_TOUCH).due_at == touch.due_at
    said = handoff.decisions.latest("id")
    assert said.rule.startswith(f"Deadlines by {agreement}, re-based by")
    assert said.candidates[0]["reason"] == "Moved: Accept"
    told = Notification.objects.get(key__endswith=f"rebased:{agreement.pk}")
    assert told.recipient == handoff.holder
    assert told.body.startswith("Accept due Tue 12 May")


def test_what_is_late_stays_late(handoff: Handoff) -> None:
    late = NOW + 3 * HOUR
    enforce_deadlines(now=late)
    agreement = agreed(10 * HOUR)

    rebase_handoffs(version=agreement.version, actor=make_user(Role.MANAGER), now=late)

    accept = clock_of(handoff, ClockKind.ACCEPT)
    assert (accept.due_at, accept.breached_at) == (NOW + 2 * HOUR, NOW + 2 * HOUR)


def test_what_was_breached_stays_so_for_whoever_has_a_slow_clock(handoff: Handoff) -> None:
    enforce_deadlines(now=NOW + 3 * HOUR)

    rebased(agreed(10 * HOUR))

    assert clock_of(handoff, ClockKind.ACCEPT).due_at == NOW + 2 * HOUR


@pytest.mark.django_db(transaction=True)
def test_two_managers_at_once_change_each_handoff_once(handoff: Handoff) -> None:
    agreement = agreed(3 * HOUR)

    changed = overlapping(lambda: rebased(agreement), lambda: rebased(agreement))

    assert changed == (1, 0)
    assert handoff.decisions.filter(rule__startswith="Deadlines by").count() == 1


def test_nobody_becomes_late_by_it(handoff: Handoff) -> None:
    agreement = agreed(HOUR / 4)

    rebased(agreement)

    assert clock_of(handoff, ClockKind.ACCEPT).due_at == NOW + 2 * HOUR


def test_warnings_of_the_new_times_come_with_the_next_sweep(handoff: Handoff) -> None:
    rebased(agreed(HOUR * 0.55))

    enforce_deadlines(now=SOON + HOUR)

    accept = clock_of(handoff, ClockKind.ACCEPT)
    assert accept.breached_at == accept.due_at == NOW + HOUR * 0.55


def test_a_deadline_that_the_hours_of_its_day_cannot_hold_stays_and_stops_no_other(
    handoff: Handoff,
) -> None:
    december = {f"2026-12-0{day}": [["09:00", "19:00"]] for day in range(1, 6)}
    make_calendar(definition={**BERLIN_WEEK, "weekly": {}, "exceptions": december})
    ending = make_handoff()
    make_calendar()
    before = clock_of(ending, ClockKind.ACCEPT).due_at
    agreement = agreed(100 * HOUR)

    assert [len(each.moves) for each in preview_rebase(agreement, now=SOON)] == [1, 0]
    assert rebased(agreement) == 2
    assert clock_of(ending, ClockKind.ACCEPT).due_at == before
    assert clock_of(handoff, ClockKind.ACCEPT).target == 100 * HOUR


def test_a_deadline_that_was_moved_warns_again(handoff: Handoff) -> None:
    enforce_deadlines(now=NOW + 1.5 * HOUR)
    enforce_deadlines(now=NOW + 1.9 * HOUR)
    rebased(agreed(3 * HOUR))
    warned = Notification.objects.filter(key__endswith="accept:last")
    assert warned.count() == 1

    enforce_deadlines(now=NOW + 2.5 * HOUR)

    assert warned.count() == 2


def test_it_is_told_as_what_it_is_and_not_as_handed_over(handoff: Handoff) -> None:
    agreement = agreed(3 * HOUR)
    rebased(agreement)

    [told] = sales_entries(handoff.lead_id, make_user(Role.MANAGER), None, 1)
    assert (told.title, told.icon) == ("Deadlines re-based", "calendar-clock")
    assert told.detail.endswith("Moved: Accept")
    page = client_of(make_user(Role.MANAGER)).get(handoff.get_absolute_url()).content.decode()
    assert page.count("Deadlines re-based") == 1


def test_a_preview_of_another_version_is_refused(handoff: Handoff) -> None:
    seen, _newer = agreed(HOUR), agreed(3 * HOUR)

    with pytest.raises(RebaseRefused):
        rebased(seen)


def test_a_manager_sees_the_preview_and_confirms_it(handoff: Handoff) -> None:
    agreement = agreed(3 * HOUR)
    web = client_of(make_user(Role.MANAGER))
    assert reverse("handoff:rebase") in web.get(reverse("handoff:agreement")).content.decode()
    page = web.get(reverse("handoff:rebase")).content.decode()
    assert handoff.lead.display_name in page

    web.post(reverse("handoff:rebase"), {"version": agreement.version})

    handoff.refresh_from_db()
    assert handoff.agreement == agreement
    assert "Nothing to re-base" in web.get(reverse("handoff:rebase")).content.decode()


def test_what_the_new_version_says_besides_due_times_counts_too(handoff: Handoff) -> None:
    before = clock_of(handoff, ClockKind.ACCEPT)
    agreement = make_agreement(
        terms(2 * HOUR), first_warning=40, escalate_after=HOUR, reassign_after=2 * HOUR
    )

    [preview] = preview_rebase(agreement, now=SOON)
    rebased(agreement)

    assert preview.moves == []
    accept = clock_of(handoff, ClockKind.ACCEPT)
    assert (accept.due_at, accept.first_warning_at) == (before.due_at, NOW + HOUR * 0.8)
    assert (accept.escalate_at, accept.reassign_at) == (NOW + 3 * HOUR, NOW + 4 * HOUR)
