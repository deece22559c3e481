from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from crm.accounts.enums import Role
from crm.celery import app
from crm.common import health as heartbeats
from crm.common import outbox
from crm.common.enums import OutboxState
from crm.common.models import Heartbeat, OutboxMessage
from crm.shell.health import DEADLINES, LOOPS, check_health, deadlines_are_enforced, loop_health
from engagement.collector.inbox import LOOP as COLLECTOR
from tests.factories import client_of, make_user

NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def beat_all(at: datetime) -> None:
    for loop in LOOPS:
        heartbeats.beat(loop, at)


@pytest.mark.django_db
def test_a_loop_is_running_for_sixty_seconds_after_its_last_round() -> None:
    heartbeats.beat(DEADLINES, NOW - timedelta(seconds=60))
    on_the_edge = deadlines_are_enforced(now=NOW)
    too_late = deadlines_are_enforced(now=NOW + timedelta(microseconds=1))

    assert (on_the_edge, too_late) == (True, False)
    states = {loop.name: loop.is_running for loop in loop_health(now=NOW)}
    assert states == {loop: loop == DEADLINES for loop in LOOPS}


@pytest.mark.django_db
def test_every_loop_of_the_beat_schedule_that_must_not_rest_is_watched() -> None:
    ticks = {entry["task"].partition(".")[2] for entry in app.conf.beat_schedule.values()}

    # These rest for most of the time: an hour each, until a model is published, a day,
    # until a back-test is asked for, until a lead with very many acts is due.
    removals = {"remove_old_forms", "remove_old_uploads", "remove_refused", "forget_results"}
    hourly = {"keep_partitions", "renew_public_holidays", *removals}
    learning = {"train_predictive", "renew_predictions"}
    # What is not counted yet, the page counts itself.
    counting = {"count_sla_days", "count_splits", "count_funnel_days"}
    asked = {"run_back_tests", "score_heavy_leads"}
    resting = {*hourly, *counting, *asked, "renew_scores", "measure_quality"}
    assert set(LOOPS) == (ticks - resting - learning) | {COLLECTOR}


@pytest.mark.django_db
def test_machines_hear_200_while_all_work_is_done_and_503_when_not(client: Client) -> None:
    beat_all(timezone.now())
    well = client.get("/health")
    Heartbeat.objects.filter(loop="score_due_leads").delete()
    ill = client.get("/health")

    assert (well.status_code, well.json()) == (200, {"status": "ok"})
    assert (ill.status_code, ill.json()) == (503, {"status": "failing"})


@pytest.mark.django_db
@pytest.mark.parametrize("role", [None, Role.REP, Role.MANAGER, Role.MARKETER])
def test_nobody_but_admins_learns_more_than_one_word(role: Role | None) -> None:
    client = client_of(make_user(role)) if role else Client()

    answer = client.get("/health", headers=BROWSER)

    assert json.loads(answer.content) == {"status": "failing"}


@pytest.mark.django_db
def test_admins_see_each_loop_with_its_backlog() -> None:
    heartbeats.beat(DEADLINES, timezone.now(), backlog=1234, oldest_due_at=NOW)

    page = client_of(make_user(Role.ADMIN)).get("/health", headers=BROWSER)

    text = page.content.decode()
    assert page.status_code == 503
    assert "1,234" in text
    assert all(label in text for label in LOOPS.values())
    assert text.count("Not running") == len(LOOPS) - 1


@pytest.mark.django_db
def test_admins_can_send_a_dead_letter_again() -> None:
    outbox.register_channel("broken", lambda _: (_ for _ in ()).throw(ValueError("no")))
    outbox.enqueue(key="alert:17", channel="broken", payload={}, now=NOW)
    moment = NOW
    for _ in range(outbox.ATTEMPTS):
        outbox.dispatch_outbox(now=moment)
        moment += timedelta(hours=3)
    client = client_of(make_user(Role.ADMIN))
    page = client.get("/health", headers=BROWSER).content.decode()
    letter = OutboxMessage.objects.get()

    client.post(f"/health/messages/{letter.pk}/replay/")

    letter.refresh_from_db()
    assert ("alert:17" in page, "ValueError: no" in page) == (True, True)
    assert (letter.state, letter.attempts) == (OutboxState.PENDING, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "is_warned"), [(Role.MANAGER, True), (Role.REP, False)])
def test_managers_see_on_every_page_that_deadlines_are_not_enforced(
    role: Role, is_warned: bool
) -> None:
    client = client_of(make_user(role))
    stopped = client.get("/preferences/").content.decode()
    heartbeats.beat(DEADLINES, timezone.now())
    running = client.get("/preferences/").content.decode()

    assert ("Deadline enforcement is not running" in stopped) is is_warned
    assert "Deadline enforcement is not running" not in running


@pytest.mark.django_db
def test_a_broker_that_is_away_is_told_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beat_all(NOW)
    monkeypatch.setattr(app.conf, "broker_write_url", "redis+socket:///nowhere/at/all")

    state = check_health(now=NOW)

    assert (state.broker, state.is_well) == (False, True)


def test_without_a_database_the_probe_and_pages_say_so(tmp_path: Path) -> None:
    script = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "probe = Client(SERVER_NAME='localhost').get('/health')\n"
        "visitor = Client(raise_request_exception=False, SERVER_NAME='localhost')\n"
        "visitor.cookies['sessionid'] = 'x' * 32\n"
        "page = visitor.get('/preferences/')\n"
        "said = b'database cannot be reached' in page.content\n"
        "print(probe.status_code, probe.json(), page.status_code, said)\n"
    )
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgres://baton@{str(tmp_path).replace('/', '%2F')}/x",
    }

    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )

    assert result.stdout.strip() == "503 {'status': 'failing'} 503 True"
