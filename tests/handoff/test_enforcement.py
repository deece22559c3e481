"""The sweep: every breach once and dated by its due time, whenever and however often it runs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.models import Heartbeat, Notification
from handoff.enums import Alarm, ClockKind
from handoff.models import Clock, Handoff, WorkCalendar
from handoff.services import accept_handoff, enforce_deadlines
from handoff.services.locking import lock_handoff
from leads.enums import LifecycleStage
from leads.services import change_stage
from leads.signals import stage_changed
from tests.concurrency import in_thread, side_by_side
from tests.factories import NOW, make_team, make_user
from tests.handoff.factories import clock_of, holder_of, make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _open_calendar(request: pytest.FixtureRequest) -> None:
    if "transactional_db" in request.fixturenames:
        request.getfixturevalue("transactional_db")
    else:
        request.getfixturevalue("db")
    make_calendar()


def _keys(handoff: Handoff) -> set[str]:
    prefix = f"handoff:{handoff.pk}:"
    keys = Notification.objects.exclude(key=f"{prefix}opened").values_list("key", flat=True)
    return {":".join(key.rsplit(":", 2)[1:]) for key in keys if key.startswith(prefix)}


def test_warnings_and_breach_come_one_after_the_other() -> None:
    handoff = make_handoff()
    accept = clock_of(handoff, ClockKind.ACCEPT)

    steps = []
    for at in (accept.first_warning_at, accept.last_warning_at, accept.due_at):
        enforce_deadlines(now=at + TICK)
        clock = clock_of(handoff, ClockKind.ACCEPT)
        steps.append((clock.alarm, clock.alarm_at, clock.breached_at))

    assert steps == [
        (Alarm.LAST, accept.last_warning_at, None),
        (Alarm.BREACH, accept.due_at, None),
        ("", None, accept.due_at),
    ]
    assert {"accept:first", "accept:last", "accept:breach"} <= _keys(handoff)


def test_a_breach_is_dated_when_it_happened_though_swept_a_day_later() -> None:
    handoff = make_handoff()
    due_at = clock_of(handoff, ClockKind.ACCEPT).due_at

    enforce_deadlines(now=due_at + timedelta(days=1))

    assert clock_of(handoff, ClockKind.ACCEPT).breached_at == due_at


def test_the_due_instant_itself_is_no_breach() -> None:
    handoff = make_handoff()
    due_at = clock_of(handoff, ClockKind.ACCEPT).due_at

    enforce_deadlines(now=due_at)

    assert clock_of(handoff, ClockKind.ACCEPT).breached_at is None
    assert "accept:breach" not in _keys(handoff)


def test_sweeping_again_changes_nothing() -> None:
    handoff = make_handoff()
    now = clock_of(handoff, ClockKind.VERDICT).due_at + timedelta(days=1)
    enforce_deadlines(now=now)
    before = list(Clock.objects.order_by("id").values()), list(Notification.objects.values())

    taken = enforce_deadlines(now=now + timedelta(hours=1))

    assert taken == 0
    assert before == (
        list(Clock.objects.order_by("id").values()),
        list(Notification.objects.values()),
    )


def test_after_an_outage_there_is_one_message_per_handoff_and_person() -> None:
    team = make_team()
    rep, manager = make_rep(team), make_user(Role.MANAGER, sales_team=team)
    handoff = make_handoff(rep=rep)
    due_at = clock_of(handoff, ClockKind.VERDICT).due_at

    enforce_deadlines(now=due_at + timedelta(days=3))

    assert handoff.clocks.filter(breached_at__isnull=False).count() == 3
    told = Notification.objects.exclude(key__endswith=":opened")
    assert {line.recipient for line in told} == {rep, manager}
    assert [line.title for line in told] == [
        f"Accept and Touch and Qualify overdue: {handoff.lead.display_name}"
    ] * 2


def test_warnings_are_for_the_holder_breaches_for_managers_too() -> None:
    team = make_team()
    rep, manager = make_rep(team), make_user(Role.MANAGER)
    other = make_user(Role.MANAGER, sales_team=make_team())
    handoff = make_handoff(rep=rep)
    clock = clock_of(handoff, ClockKind.ACCEPT)

    enforce_deadlines(now=clock.last_warning_at + TICK)
    warned = {line.recipient for line in Notification.objects.filter(key__endswith="accept:last")}
    enforce_deadlines(now=clock.due_at + TICK)
    told = {line.recipient for line in Notification.objects.filter(key__endswith="accept:breach")}

    assert (warned, told) == ({rep}, {rep, manager})
    assert other not in told


def test_what_nobody_holds_alarms_the_pool_and_its_managers() -> None:
    team = make_team()
    make_rep(team, is_active=False)
    manager = make_user(Role.MANAGER)
    handoff = make_handoff()
    newcomer = make_rep(team)

    enforce_deadlines(now=clock_of(handoff, ClockKind.ACCEPT).first_warning_at + TICK)

    told = {line.recipient for line in Notification.objects.filter(key__endswith="accept:first")}
    assert told == {newcomer, manager}


def test_a_holder_who_cannot_log_in_any_more_is_nobody_to_warn() -> None:
    team = make_team()
    rep, manager = make_rep(team), make_user(Role.MANAGER)
    handoff = make_handoff(rep=rep)
    User.objects.filter(pk=rep.pk).update(is_active=False)

    enforce_deadlines(now=clock_of(handoff, ClockKind.ACCEPT).first_warning_at + TICK)

    told = {line.recipient for line in Notification.objects.filter(key__endswith="accept:first")}
    assert told == {manager}


def test_what_was_answered_or_withdrawn_is_left_alone() -> None:
    answered, withdrawn = make_handoff(), make_handoff()
    accept_handoff(handoff_id=answered.pk, rep=holder_of(answered), now=NOW)
    change_stage(lead_id=withdrawn.lead_id, to_stage=LifecycleStage.RECYCLED, now=NOW)

    enforce_deadlines(now=clock_of(answered, ClockKind.ACCEPT).due_at + timedelta(days=1))

    assert clock_of(answered, ClockKind.ACCEPT).breached_at is None
    assert withdrawn.clocks.filter(breached_at__isnull=False).count() == 0


def test_at_most_as_many_as_asked_are_taken_and_the_rest_is_reported() -> None:
    handoffs = [make_handoff() for _ in range(3)]
    accept = clock_of(handoffs[0], ClockKind.ACCEPT)
    now = accept.first_warning_at + TICK

    assert enforce_deadlines(now=now, limit=2) == 2
    beat = Heartbeat.objects.get(loop="enforce_deadlines")
    assert (beat.backlog, beat.oldest_due_at) == (1, accept.first_warning_at)
    assert enforce_deadlines(now=now, limit=2) == 1
    assert Heartbeat.objects.get(loop="enforce_deadlines").backlog == 0


def test_handoffs_with_several_due_clocks_do_not_end_the_catching_up_early() -> None:
    for _ in range(4):
        make_handoff()
    now = Clock.objects.latest("due_at").due_at + timedelta(days=1)

    while enforce_deadlines(now=now, limit=3) == 3:
        pass

    assert not Clock.objects.filter(breached_at__isnull=True).exists()


@contextmanager
def _poisoned(handoff: Handoff) -> Iterator[None]:
    """Let the database refuse the breaches of ``handoff``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION 'poisoned'; END $$;"
            " CREATE TRIGGER poison BEFORE UPDATE ON handoff_clock FOR EACH ROW"
            f" WHEN (NEW.handoff_id = {handoff.pk} AND NEW.breached_at IS NOT NULL)"
            " EXECUTE FUNCTION poison()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER poison ON handoff_clock; DROP FUNCTION poison()")


@pytest.mark.django_db(transaction=True)
def test_a_handoff_that_cannot_be_recorded_does_not_hold_up_its_neighbours() -> None:
    poisoned, healthy = make_handoff(), make_handoff()
    now = clock_of(healthy, ClockKind.ACCEPT).due_at + timedelta(hours=1)

    with _poisoned(poisoned):
        enforce_deadlines(now=now)

    assert clock_of(healthy, ClockKind.ACCEPT).breached_at is not None
    clock = clock_of(poisoned, ClockKind.ACCEPT)
    assert (clock.breached_at, clock.alarm_at) == (None, now + timedelta(minutes=1))
    assert (clock.attempts, clock.last_error.splitlines()[0]) == (1, "poisoned")

    enforce_deadlines(now=now + timedelta(minutes=2))

    clock = clock_of(poisoned, ClockKind.ACCEPT)
    assert (clock.breached_at, clock.attempts, clock.last_error) == (clock.due_at, 0, "")


@pytest.mark.django_db(transaction=True)
def test_a_handoff_that_cannot_even_be_read_does_not_hold_up_its_neighbours() -> None:
    unreadable, healthy = make_handoff(), make_handoff()
    now = clock_of(healthy, ClockKind.ACCEPT).due_at + timedelta(hours=1)
    broken = WorkCalendar.objects.create(name="Broken", definition={})
    Handoff.objects.filter(pk=unreadable.pk).update(calendar=broken)

    enforce_deadlines(now=now)

    assert clock_of(healthy, ClockKind.ACCEPT).breached_at is not None
    clock = clock_of(unreadable, ClockKind.ACCEPT)
    assert (clock.breached_at, clock.attempts) == (None, 1)
    assert clock.alarm_at == now + timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
def test_a_breach_that_was_put_off_stays_in_sight() -> None:
    handoff = make_handoff()
    due_at = clock_of(handoff, ClockKind.ACCEPT).due_at
    now = due_at + timedelta(minutes=1)

    with _poisoned(handoff):
        enforce_deadlines(now=now)
        enforce_deadlines(now=now + timedelta(seconds=2))

    beat = Heartbeat.objects.get(loop="enforce_deadlines")
    assert (beat.backlog, beat.oldest_due_at) == (1, due_at)


@pytest.mark.django_db(transaction=True)
def test_after_five_attempts_a_breach_is_tried_once_an_hour() -> None:
    handoff = make_handoff()
    now = clock_of(handoff, ClockKind.ACCEPT).due_at + TICK

    waits = []
    with _poisoned(handoff):
        for _ in range(6):
            enforce_deadlines(now=now)
            again_at = clock_of(handoff, ClockKind.ACCEPT).alarm_at
            assert again_at is not None
            waits.append(again_at - now)
            now = again_at + TICK

    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    assert waits == [minute, minute, minute, minute, hour, hour]


@pytest.mark.django_db(transaction=True)
def test_sweeps_side_by_side_record_everything_once() -> None:
    make_user(Role.MANAGER)
    for _ in range(6):
        make_handoff()
    now = Clock.objects.latest("due_at").due_at + timedelta(days=1)

    def sweep() -> int:
        taken = 0
        while batch := enforce_deadlines(now=now, limit=2):
            taken += batch
        return taken

    side_by_side(sweep, sweep)
    enforce_deadlines(now=now)

    assert Clock.objects.filter(breached_at__isnull=True).count() == 0
    told = Notification.objects.filter(key__endswith=":breach").values_list("recipient", "key")
    assert len(told) == len(set(told)) == 6 * 2


@pytest.mark.django_db(transaction=True)
def test_a_sweep_passes_by_what_somebody_else_holds() -> None:
    held, free = make_handoff(), make_handoff()
    now = clock_of(free, ClockKind.ACCEPT).due_at + timedelta(hours=1)
    locked, release = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            lock_handoff(held.pk)
            locked.set()
            assert release.wait(30)

    with ThreadPoolExecutor(2) as pool:
        holding = in_thread(pool, hold)
        assert locked.wait(30)
        sweep = in_thread(pool, lambda: enforce_deadlines(now=now))
        try:
            sweep.result(timeout=10)
        finally:
            release.set()
            holding.result(30)

    assert clock_of(free, ClockKind.ACCEPT).breached_at is not None
    assert clock_of(held, ClockKind.ACCEPT).breached_at is None


@pytest.mark.django_db(transaction=True)
def test_an_answer_under_way_is_not_breached_behind_its_back() -> None:
    handoff = make_handoff()
    rep = holder_of(handoff)
    due_at = clock_of(handoff, ClockKind.ACCEPT).due_at
    answering, go_on = Event(), Event()

    def hold(**_: Any) -> None:
        answering.set()
        assert go_on.wait(30)

    stage_changed.connect(hold)
    try:
        with ThreadPoolExecutor(2) as pool:
            answer = in_thread(
                pool, lambda: accept_handoff(handoff_id=handoff.pk, rep=rep, now=due_at)
            )
            assert answering.wait(30)
            sweep = in_thread(pool, lambda: enforce_deadlines(now=due_at + TICK))
            try:
                sweep.result(timeout=10)
            finally:
                go_on.set()
            answer.result(30)
    finally:
        stage_changed.disconnect(hold)
    enforce_deadlines(now=due_at + timedelta(hours=1))

    clock = clock_of(handoff, ClockKind.ACCEPT)
    assert (clock.stopped_at, clock.breached_at) == (due_at, None)


def test_an_idle_tick_costs_a_constant_and_small_number_of_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    make_handoff()

    with django_assert_max_num_queries(6):  # savepoint, due, put off, heartbeat, release, timed out
        enforce_deadlines(now=NOW + timedelta(seconds=1))
