"""What the database refuses, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from crm.accounts.enums import Role
from handoff.enums import AgreementState
from handoff.models import (
    Agreement,
    Clock,
    Handoff,
    HolderInterval,
    RepProfile,
    RoutingRule,
    SlaTier,
    Touch,
    WorkCalendar,
)
from tests.factories import NOW, make_team, make_user
from tests.handoff.factories import (
    BERLIN_WEEK,
    holder_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def _refuses(constraint: str, act: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        act()


def test_holders_of_a_handoff_do_not_overlap() -> None:
    handoff = make_handoff()

    _refuses(
        "holders_do_not_overlap",
        lambda: HolderInterval.objects.create(handoff=handoff, started_at=NOW + HOUR),
    )


def test_a_holder_does_not_end_before_the_start() -> None:
    make_handoff()

    _refuses("holder_ends_after_start", lambda: HolderInterval.objects.update(ended_at=NOW - HOUR))


def test_a_clock_of_a_kind_runs_once() -> None:
    handoff = make_handoff()
    clock = handoff.clocks.get(kind="ACCEPT")
    clock.pk = None

    _refuses("clock_kind_once", lambda: clock.save(force_insert=True))


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("clock_breach_is_dated_by_due_time", {"breached_at": NOW}),
        ("clock_stops_after_start", {"stopped_at": NOW - HOUR}),
        ("clock_stopped_or_withdrawn", {"stopped_at": NOW, "withdrawn_at": NOW}),
    ],
)
def test_a_clock_contradicts_nothing(constraint: str, values: dict[str, object]) -> None:
    make_handoff()

    _refuses(constraint, lambda: Clock.objects.update(**values))


def test_a_clock_that_was_kept_is_not_breached() -> None:
    make_handoff()
    clock = Clock.objects.get(kind="ACCEPT")
    values = {"breached_at": clock.due_at, "stopped_at": clock.due_at}

    _refuses(
        "clock_kept_is_not_breached", lambda: Clock.objects.filter(pk=clock.pk).update(**values)
    )


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("handoff_state_is_known", {"state": "LOST", "closed_at": NOW}),
        ("handoff_closed_when_state_says_so", {"state": "QUALIFIED"}),
        ("handoff_closed_when_state_says_so", {"closed_at": NOW}),
        ("handoff_rejection_has_reason", {"state": "REJECTED", "closed_at": NOW}),
    ],
)
def test_a_handoff_contradicts_nothing(constraint: str, values: dict[str, object]) -> None:
    make_handoff()

    _refuses(constraint, lambda: Handoff.objects.update(**values))


def test_a_touch_is_not_in_the_future() -> None:
    handoff = make_handoff()

    _refuses(
        "touch_not_in_the_future",
        lambda: Touch.objects.create(
            handoff=handoff,
            rep=holder_of(handoff),
            channel="CALL",
            outcome="CONNECTED",
            occurred_at=NOW + HOUR,
            recorded_at=NOW,
        ),
    )


def test_one_agreement_is_in_force() -> None:
    make_agreement()
    make_agreement()

    _refuses(
        "agreement_one_in_force",
        lambda: Agreement.objects.update(state=AgreementState.IN_FORCE),
    )


def test_what_is_in_force_is_signed_by_two_people() -> None:
    make_agreement()
    somebody = make_user(Role.MARKETER, Role.MANAGER)
    both = {"signed_by_marketing": somebody, "signed_by_sales": somebody}

    _refuses("agreement_in_force_is_signed", lambda: Agreement.objects.update(signed_by_sales=None))
    _refuses("agreement_signed_by_two_people", lambda: Agreement.objects.update(**both))


def test_positions_are_taken_once() -> None:
    make_agreement()
    team = make_team()
    RoutingRule.objects.create(position=1, name="DACH", team=team)

    _refuses("tier_position_once", lambda: SlaTier.objects.update(position=1))
    _refuses("position", lambda: RoutingRule.objects.create(position=1, name="Benelux", team=team))


def test_there_is_one_default_calendar() -> None:
    make_calendar()

    _refuses(
        "calendar_one_default",
        lambda: WorkCalendar.objects.create(name="B", definition=BERLIN_WEEK, is_default=True),
    )


def test_a_name_and_a_team_have_one_current_calendar() -> None:
    team = make_team()
    make_calendar(team, name="Desk")

    _refuses(
        "calendar_one_current_of_name",
        lambda: WorkCalendar.objects.create(name="Desk", definition=BERLIN_WEEK),
    )
    _refuses(
        "calendar_one_current_of_team",
        lambda: WorkCalendar.objects.create(name="Other", definition=BERLIN_WEEK, team=team),
    )


def test_a_rep_counts_at_least_once() -> None:
    rep = make_rep(make_team())

    _refuses("rep_weight_from_one", lambda: RepProfile.objects.create(user=rep, weight=0))
