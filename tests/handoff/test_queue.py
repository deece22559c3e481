"""The work queue: what comes first, what counts as today, what each row asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.accounts.models import User
from crm.common.ui.badges import ClockState
from handoff.enums import ClockKind, TouchChannel, TouchOutcome
from handoff.models import Clock, Handoff
from handoff.queue import Group, NextAct, due_today, load_queue
from handoff.services import (
    TierTerms,
    accept_handoff,
    log_touch,
    snooze_handoff,
)
from tests.factories import NOW, make_team
from tests.handoff.factories import (
    ANY_LEAD,
    clock_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def rep() -> User:
    make_calendar()
    make_agreement(ANY_LEAD)
    return make_rep(make_team(), time_zone="Europe/Berlin")


def _opened(rep: User, minutes_ago: int) -> Handoff:
    return make_handoff(rep=rep, now=NOW - timedelta(minutes=minutes_ago))


def test_breached_comes_first_then_the_least_time_left(rep: User) -> None:
    fresh = _opened(rep, 0)
    soon = _opened(rep, 70)
    late, later = _opened(rep, 119), _opened(rep, 130)
    now = NOW + timedelta(minutes=5)

    queue = load_queue(rep, now=now)

    assert [row.handoff for row in queue.rows] == [later, late, soon, fresh]
    assert [row.group for row in queue.rows] == [
        Group.OVERDUE,
        Group.OVERDUE,
        Group.SOON,
        Group.TODAY,
    ]
    assert (queue.due_today, queue.overdue, queue.due_soon) == (4, 2, 1)


def test_of_two_equally_urgent_the_better_score_comes_first(rep: User) -> None:
    low, high = _opened(rep, 10), _opened(rep, 10)
    Handoff.objects.filter(pk=low.pk).update(score=20)
    Handoff.objects.filter(pk=high.pk).update(score=60)

    assert [row.handoff for row in load_queue(rep, now=NOW).rows] == [high, low]


def test_the_first_row_is_opened_unless_another_is_asked_for(rep: User) -> None:
    first, second = _opened(rep, 30), _opened(rep, 20)

    assert _opened_row(rep) == first
    assert _opened_row(rep, opened=second.pk) == second


def test_after_an_answer_the_most_urgent_other_row_is_opened(rep: User) -> None:
    first, second, _third = _opened(rep, 30), _opened(rep, 20), _opened(rep, 10)

    assert _opened_row(rep, answered=second.pk) == first
    assert _opened_row(rep, answered=first.pk) == second


def test_who_was_tried_today_opens_after_the_rest(rep: User) -> None:
    first, second, third = _opened(rep, 400), _opened(rep, 390), _opened(rep, 10)
    for handoff in (first, second):
        log_touch(
            handoff_id=handoff.pk,
            rep=rep,
            channel=TouchChannel.CALL,
            outcome=TouchOutcome.NO_ANSWER,
            occurred_at=NOW,
            now=NOW,
        )
    Clock.objects.filter(handoff__in=(first, second), kind=ClockKind.VERDICT).update(due_at=NOW)

    assert _opened_row(rep) == first
    assert _opened_row(rep, answered=second.pk) == third
    assert _opened_row(rep, answered=third.pk) == first


def test_the_only_row_stays_opened_after_an_answer(rep: User) -> None:
    only = _opened(rep, 10)

    assert _opened_row(rep, answered=only.pk) == only
    assert load_queue(make_rep(make_team()), now=NOW, answered=only.pk).opened is None


def _opened_row(rep: User, **asked: int) -> Handoff:
    opened = load_queue(rep, now=NOW, **asked).opened
    assert opened is not None
    return opened.handoff


def test_what_is_due_tomorrow_is_for_later(rep: User) -> None:
    handoff = _opened(rep, 60)
    log_touch(
        handoff_id=handoff.pk,
        rep=rep,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER,
        occurred_at=NOW,
        now=NOW,
    )

    queue = load_queue(rep, now=NOW)

    assert [row.group for row in queue.rows] == [Group.LATER]
    assert queue.due_today == 0
    assert queue.next_due_at == clock_of(handoff, ClockKind.VERDICT).due_at


def test_a_snoozed_row_waits_until_the_day_it_falls_due(rep: User) -> None:
    handoff = _opened(rep, 0)
    log_touch(
        handoff_id=handoff.pk,
        rep=rep,
        channel=TouchChannel.MEETING,
        outcome=TouchOutcome.BOOKED,
        occurred_at=NOW,
        now=NOW,
    )
    snooze_handoff(
        handoff_id=handoff.pk, rep=rep, until=NOW + timedelta(days=5), reason="Demo", now=NOW
    )

    waiting = load_queue(rep, now=NOW).rows[0]
    due_day = clock_of(handoff, ClockKind.VERDICT).due_at - timedelta(hours=2)
    back = load_queue(rep, now=due_day).rows[0]

    assert (waiting.group, waiting.badge.state) == (Group.WAITING, ClockState.WAITING)
    assert waiting.badge.text == "Sun 17 May"
    assert back.group is Group.TODAY


def test_the_button_is_the_next_act(rep: User) -> None:
    handoff = _opened(rep, 0)
    acts = [_next_act(rep)]
    accept_handoff(handoff_id=handoff.pk, rep=rep, now=NOW)
    acts.append(_next_act(rep))
    for outcome in (TouchOutcome.NO_ANSWER, TouchOutcome.CONNECTED):
        log_touch(
            handoff_id=handoff.pk,
            rep=rep,
            channel=TouchChannel.CALL,
            outcome=outcome,
            occurred_at=NOW,
            now=NOW,
        )
        acts.append(_next_act(rep))

    assert acts == [NextAct.ACCEPT, NextAct.LOG, NextAct.LOG, NextAct.BANT]


def _next_act(rep: User) -> NextAct:
    return load_queue(rep, now=NOW).rows[0].next_act


def test_a_row_says_what_happened_last_and_what_time_it_is_there(rep: User) -> None:
    handoff = make_handoff(rep=rep, city="Kiel", country="DE", title="CTO", company_name="Nordwerk")
    log_touch(
        handoff_id=handoff.pk,
        rep=rep,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER,
        occurred_at=NOW,
        now=NOW,
    )

    with timezone.override("Europe/Berlin"):
        today, next_day = (
            load_queue(rep, now=NOW + timedelta(hours=hours)).rows[0] for hours in (1, 24)
        )

    assert (today.role, today.there) == ("CTO, Nordwerk", "Kiel 12:00")
    assert today.last_act == "Call, no answer, 11:00"
    assert next_day.last_act == "Call, no answer, Tue 11:00"


def test_a_row_knows_the_addresses_of_its_acts(rep: User) -> None:
    handoff = _opened(rep, 0)

    links = load_queue(rep, now=NOW).rows[0].links

    acts = ("accept", "log", "bant", "handoff")
    assert links == {
        "row": f"handoff-{handoff.pk}",
        "name": f"open-{handoff.pk}",
        "open": f"?open={handoff.pk}",
        "lead": reverse("leads:detail", args=[handoff.lead_id]),
        **{act: reverse(f"handoff:{act}", args=[handoff.pk]) for act in acts},
    }


def test_the_count_beside_the_queue_is_the_count_on_the_queue(rep: User) -> None:
    _opened(rep, 0)
    _opened(rep, 200)
    accepted = _opened(rep, 10)
    log_touch(
        handoff_id=accepted.pk,
        rep=rep,
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.CONNECTED,
        occurred_at=NOW,
        now=NOW,
    )

    assert due_today(rep, now=NOW) == load_queue(rep, now=NOW).due_today == 2


def test_what_was_done_today_is_counted_with_what_was_on_time(rep: User) -> None:
    punctual, tardy = _opened(rep, 10), _opened(rep, 180)
    later = NOW + timedelta(minutes=1)
    for handoff in (punctual, tardy):
        accept_handoff(handoff_id=handoff.pk, rep=rep, now=later)

    queue = load_queue(rep, now=later)

    assert (queue.done, queue.on_time) == (2, 1)


def test_the_day_rail_shows_today_in_the_zone_of_the_viewer(rep: User) -> None:
    handoff = _opened(rep, 0)

    with timezone.override("Europe/Berlin"):
        rail = load_queue(rep, now=NOW).rail

    assert rail is not None
    assert [(f"{a:%H:%M}", f"{b:%H:%M}") for a, b in rail.windows] == [("09:00", "18:00")]
    mark = rail.marks[0]
    assert (f"{mark.at:%H:%M}", mark.row) == ("13:00", f"handoff-{handoff.pk}")


def test_outside_hours_the_queue_says_when_clocks_go_on(rep: User) -> None:
    handoff = _opened(rep, 0)
    sunday = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)
    Handoff.objects.filter(pk=handoff.pk).update(opened_at=sunday)
    saturday_opened = make_handoff(rep=rep, now=sunday)

    queue = load_queue(rep, now=sunday)

    assert queue.opens_at == datetime(2026, 5, 18, 7, 0, tzinfo=UTC)
    assert queue.rail is None
    badges = {row.handoff.pk: row.badge for row in queue.rows}
    assert badges[saturday_opened.pk].state is ClockState.PAUSED


def test_a_clock_that_fell_due_at_closing_time_is_overdue_in_the_evening(rep: User) -> None:
    _opened(rep, -5 * 60)  # at 16:00 in Berlin, so that accepting is due at 18:00, closing time
    late = _opened(rep, 5)
    evening = NOW + timedelta(hours=9)

    rows = load_queue(rep, now=evening).rows

    assert [(row.group, row.badge.state) for row in rows] == [
        (Group.OVERDUE, ClockState.BREACHED),
        (Group.OVERDUE, ClockState.BREACHED),
    ]
    assert (rows[0].handoff, rows[1].badge.text, rows[1].left) == (late, "0 s over", timedelta(0))


def test_others_handoffs_are_not_in_the_queue(rep: User) -> None:
    _opened(rep, 0)
    stranger = make_rep(make_team())

    assert load_queue(stranger, now=NOW).rows == []


def test_the_number_of_queries_does_not_grow_with_the_rows(rep: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            load_queue(rep, now=NOW)
        return len(captured)

    _opened(rep, 0)
    one = queries()
    for _ in range(4):
        _opened(rep, 0)

    assert queries() == one


def test_the_clock_with_the_nearest_deadline_is_shown(rep: User) -> None:
    make_agreement(
        TierTerms("Odd", timedelta(hours=3), timedelta(hours=1), timedelta(hours=9)), now=NOW
    )
    _opened(rep, 0)

    row = load_queue(rep, now=NOW).rows[0]

    assert row.clock is not None
    assert row.clock.kind == ClockKind.FIRST_TOUCH
