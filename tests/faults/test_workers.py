"""Workers, beat and the loop as ``up`` runs them, on a real broker: each app's work gets done."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.db import connection
from django.utils import timezone

from crm.accounts.models import User
from crm.celery import app
from crm.common.enums import OutboxState
from crm.common.models import OutboxMessage
from crm.common.notifications import notify
from crm.embedded.location import redis_url, valkey_socket
from crm.environment import broker_url
from crm.shell.health import PATIENCE, LoopHealth, loop_health
from engagement.models import EventKey, InboxMessage
from engagement.services import keep_partitions, receive
from handoff.enums import ClockKind
from handoff.models import Clock, Handoff
from leads.enums import ImportKind, ImportState
from leads.importing.jobs import create_job
from leads.models import Lead, StageInterval
from scoring.models import LeadScore, ScoringModel
from scoring.services import mark_due, start_renewal
from tests.engagement.partitions import partitions
from tests.factories import NOW, make_lead, make_team, make_user
from tests.faults.background import Background
from tests.faults.table_locks import locked, somebody_waits
from tests.handoff.factories import (
    clock_of,
    holder_of,
    make_calendar,
    make_handoff,
    make_rep,
)
from tests.leads.importing import MAPPING, write
from tests.processes import descendants, wait_for
from tests.scoring.logs import publish_model

pytestmark = [
    pytest.mark.faults,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]


PAGE = {"type": "page", "messageId": "1", "anonymousId": "laptop"}


@pytest.fixture
def rep(background: Background) -> User:
    """A company with working hours, one rep, and a model in which a buying act makes an MQL."""
    publish_model()
    make_calendar()
    return make_rep(make_team())


def ring(task: str, *, queue: str, time_limit: int | None = None) -> None:
    """Send one wake-up by hand."""
    with app.connection_for_write(url=broker_url(redis_url())) as connection_to_broker:
        app.send_task(task, queue=queue, connection=connection_to_broker, time_limit=time_limit)


def ask_for_a_demo(lead: Lead) -> None:
    """Let a buying act of ``lead`` arrive."""
    message = {
        "type": "track",
        "event": "Demo Requested",
        "messageId": str(uuid4()),
        "anonymousId": str(uuid4()),
        "context": {"traits": {"email": lead.email}},
        "timestamp": timezone.now().isoformat(),
    }
    receive(source="site", messages=[message], received_at=timezone.now())


def without_furthest_month() -> str:
    """Take away the last of the months that are made ahead, and return its partition's name."""
    keep_partitions(now=timezone.now())
    furthest = max(name for name in partitions() if name[-1].isdigit())
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {furthest}")
    return furthest


def broker() -> redis.Redis:
    """Return a client of the broker."""
    return redis.Redis(unix_socket_path=str(valkey_socket()))


def test_every_loop_shows_that_it_runs(background: Background) -> None:
    def ours() -> list[LoopHealth]:
        loops = loop_health(now=timezone.now())
        return [loop for loop in loops if loop.name != "collector"]  # a process beside these

    # The slowest of them rings every half a minute.
    wait_for(lambda: all(loop.is_running for loop in ours()), seconds=PATIENCE.total_seconds())


def test_a_mail_that_is_owed_is_sent(background: Background) -> None:
    notify(recipients=[make_user()], key="hello", title="Hello", now=timezone.now())

    wait_for(lambda: OutboxMessage.objects.get().state == OutboxState.SENT)


def test_an_import_that_waits_is_run(background: Background, tmp_path: Path) -> None:
    file = write(tmp_path / "fair.csv", "1,ines@fair.example,Kallweit,fair,2026-05-01")
    job = create_job(kind=ImportKind.LEADS, path=file, now=NOW, mapping=MAPPING, is_dry_run=False)

    wait_for(lambda: not type(job).objects.waiting().exists())

    job.refresh_from_db()
    assert job.state == ImportState.DONE
    assert Lead.objects.filter(email="ines@fair.example").count() == 1


def test_messages_that_arrived_are_absorbed(background: Background) -> None:
    messages = [{"type": "page", "messageId": str(n), "anonymousId": "laptop"} for n in range(50)]
    receive(source="shop", messages=messages, received_at=timezone.now())

    wait_for(lambda: not InboxMessage.objects.exists())

    assert EventKey.objects.filter(source="shop").count() == 50


def test_a_month_that_is_missing_ahead_is_made(background: Background) -> None:
    month = without_furthest_month()

    ring("engagement.keep_partitions", queue="bulk")

    wait_for(lambda: month in partitions())


def handed_off(rep: User) -> Handoff:
    """Hand a lead to ``rep`` as long ago as its clocks allow; its score is owed, as a lead's is."""
    handoff = make_handoff(rep=rep)
    mark_due(lead_ids=[handoff.lead_id], now=timezone.now(), is_news=False)
    return handoff


def test_a_lead_that_is_due_is_scored(background: Background, rep: User) -> None:
    lead = make_lead()
    mark_due(lead_ids=[lead.pk], now=timezone.now())

    wait_for(lambda: LeadScore.objects.get(pk=lead.pk).score_due_at is None)

    assert LeadScore.objects.get(pk=lead.pk).computed_at is not None


def test_all_scores_are_renewed(background: Background, rep: User) -> None:
    lead = make_lead()
    start_renewal()

    wait_for(lambda: ScoringModel.objects.get().rescored_up_to is None)

    assert LeadScore.objects.get(pk=lead.pk).computed_at is not None


def test_a_breach_is_recorded_while_the_loop_without_a_broker_hangs(
    background: Background, rep: User
) -> None:
    with background.paused("deadlines"):
        handoff = handed_off(rep)

        wait_for(lambda: clock_of(handoff, ClockKind.ACCEPT).breached_at)

    clock = clock_of(handoff, ClockKind.ACCEPT)
    assert clock.breached_at == clock.due_at


def test_a_breach_is_recorded_while_no_worker_answers(background: Background, rep: User) -> None:
    with background.paused("worker-sla"):
        handoff = handed_off(rep)

        wait_for(lambda: clock_of(handoff, ClockKind.ACCEPT).breached_at)


@pytest.mark.parametrize("kill", [Background.kill, Background.kill_child])
def test_what_a_killed_worker_had_begun_the_next_one_does_once(
    background: Background, rep: User, kill: Callable[[Background, str], None]
) -> None:
    lead = make_lead()
    with locked("handoff_handoff", "SHARE"):
        ask_for_a_demo(lead)
        wait_for(lambda: somebody_waits("handoff_handoff"))
        kill(background, "worker-events")
        assert not Handoff.objects.filter(lead=lead).exists()

    wait_for(lambda: Handoff.objects.filter(lead=lead).exists())

    handoff = Handoff.objects.get(lead=lead)
    assert holder_of(handoff) == rep
    stages = StageInterval.objects.filter(lead=lead).order_by("sequence")
    assert list(stages.values_list("stage", flat=True)) == ["LEAD", "MQL"]
    assert Clock.objects.filter(handoff=handoff).count() == len(ClockKind)
    told = OutboxMessage.objects.filter(key__startswith=f"alert:handoff:{handoff.pk}:opened")
    wait_for(lambda: told.get().state == OutboxState.SENT)
    assert told.get().attempts == 1


def test_a_task_that_exceeds_its_time_is_ended_and_its_work_is_done_by_another(
    background: Background,
) -> None:
    month = without_furthest_month()
    worker = background.pid_of("worker-bulk")
    assert worker is not None
    with locked("engagement_event", "SHARE"):
        ring("engagement.keep_partitions", queue="bulk", time_limit=1)
        wait_for(lambda: somebody_waits("engagement_event"))
        children = set(descendants(worker))
        wait_for(lambda: children - set(descendants(worker)), seconds=8)

    ring("engagement.keep_partitions", queue="bulk")

    wait_for(lambda: month in partitions())
    assert background.pid_of("worker-bulk") == worker


def test_wake_ups_that_the_broker_lost_cost_nothing(background: Background) -> None:
    with background.paused("worker-events"), broker() as store:
        receive(source="lost", messages=[PAGE], received_at=timezone.now())
        wait_for(lambda: store.llen("events"))
        store.flushall()

    wait_for(lambda: not InboxMessage.objects.exists())

    assert EventKey.objects.filter(source="lost").count() == 1
