"""Deadlines fall due while what enforces them is killed, doubled, absent or wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.models import Clock
from handoff.services import BATCH, accept_handoff, enforce_deadlines, reassign_handoff
from leads.enums import LifecycleStage
from leads.services import change_stage
from tests.concurrency import side_by_side
from tests.factories import make_team, make_user
from tests.faults.background import Background
from tests.faults.deadlines import (
    NUMBER,
    begin,
    check_breaches,
    check_owners,
    falling_due,
    left_to_record,
)
from tests.handoff.factories import make_rep
from tests.processes import child_environment, wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(600),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

HALF = 0.5
SOON = timedelta(seconds=2)
#: The longest that people wait on a machine that does much else; what is measured is right or not.
PATIENCE = 120


def test_killing_the_sweepers_at_random_loses_and_doubles_no_breach(
    background: Background, rep: User
) -> None:
    rng = Random(7)
    tomorrow, step = timezone.now() + timedelta(days=1), timedelta(seconds=15) / NUMBER
    handoffs = falling_due(rep, number=NUMBER, first=tomorrow, step=step)
    answered = handoffs[-NUMBER // 10 :]
    for handoff in answered:
        accept_handoff(handoff_id=handoff.pk, rep=rep, now=handoff.opened_at)
    begin()
    begun = left_to_record()
    wait_for(lambda: left_to_record() < begun, seconds=PATIENCE)
    left: list[int] = []

    while not left or left_to_record():
        left.append(left_to_record())
        if rng.random() < HALF:
            background.kill("deadlines")
        else:
            background.kill_child("worker-sla")
        time.sleep(rng.random())

    assert max(left) > 0, "everything was recorded before anybody was killed"
    check_breaches(handoffs[: -len(answered)], answered=answered)
    check_owners(handoffs)


def _started(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=child_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_two_beats_and_two_loops_record_each_breach_once(background: Background, rep: User) -> None:
    handoffs = falling_due(
        rep, number=NUMBER // 2, first=timezone.now() + SOON, step=timedelta(milliseconds=2)
    )
    beat = ("-m", "celery", "-A", "crm.celery", "beat", "--scheduler=celery.beat:Scheduler")
    others = [_started("manage.py", "enforce_deadlines", "--loop"), _started(*beat)]
    try:
        wait_for(lambda: not left_to_record(), seconds=PATIENCE)
        assert all(each.poll() is None for each in others)
    finally:
        for each in others:
            each.kill()
            each.wait()

    check_breaches(handoffs)


def test_an_hour_without_sweeps_is_made_good_with_one_message_each(rep: User) -> None:
    now = timezone.now()
    handoffs = falling_due(
        rep, number=NUMBER, first=now - timedelta(hours=1), step=timedelta(hours=1) / NUMBER
    )

    while enforce_deadlines(now=now) == BATCH:
        pass

    check_breaches(handoffs)


def test_a_loop_whose_clock_is_an_hour_ahead_breaches_nothing_early(rep: User) -> None:
    """Red when a loop sweeps by its own clock instead of the database's."""
    now = timezone.now()
    late = falling_due(rep, number=5, first=now - SOON, step=timedelta(0))
    early = falling_due(rep, number=5, first=now + timedelta(minutes=30), step=timedelta(0))
    ahead = (
        "import sys; from datetime import timedelta; import django.utils.timezone as clock;"
        " right = clock.now; clock.now = lambda: right() + timedelta(hours=1);"
        " from django.core.management import execute_from_command_line as run;"
        " run(['manage.py', 'enforce_deadlines'])"
    )

    subprocess.run(
        [sys.executable, "-c", ahead], cwd=settings.BASE_DIR, env=child_environment(), check=True
    )

    check_breaches(late)
    assert Clock.objects.filter(handoff__in=early, alarm_at__isnull=False).count() == len(early)


def test_answers_reassignments_and_withdrawals_during_the_sweep_leave_one_owner(rep: User) -> None:
    """Red when answers do not lock the handoff before they look at it."""
    now = timezone.now()
    other, manager = make_rep(make_team()), make_user(Role.MANAGER)
    handoffs = falling_due(rep, number=60, first=now, step=timedelta(0))
    in_time, moved, ended = handoffs[:20], handoffs[20:40], handoffs[40:]
    after = now + timedelta(milliseconds=1)

    to_other: dict[str, Any] = {"to": other, "actor": manager, "reason": "", "now": after}
    out: dict[str, Any] = {"to_stage": LifecycleStage.DISQUALIFIED, "reason": "Spam", "now": now}

    outcomes = side_by_side(
        lambda: [accept_handoff(handoff_id=each.pk, rep=rep, now=now) for each in in_time],
        lambda: [reassign_handoff(handoff_id=each.pk, **to_other) for each in moved],
        lambda: [change_stage(lead_id=each.lead_id, **out) for each in ended],
        *[lambda: enforce_deadlines(now=after, limit=7)] * 12,
    )
    while enforce_deadlines(now=after):
        pass

    assert not [each for each in outcomes if isinstance(each, Exception)]
    for clock in Clock.objects.filter(handoff__in=in_time):
        assert (clock.stopped_at, clock.breached_at) == (now, None)
    assert Clock.objects.filter(handoff__in=moved, breached_at=now, answerable=rep).count() == 20
    assert not Clock.objects.filter(handoff__in=ended, breached_at__isnull=False).exists()
    check_owners([*in_time, *moved])
