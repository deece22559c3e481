"""The two ways in which the sweep is woken: by the broker, and by a loop that needs none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from time import monotonic, sleep

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from crm.common.models import Heartbeat
from handoff import tasks
from handoff.models import Clock
from tests.handoff.factories import make_calendar, make_handoff
from tests.handoff.test_pages import ALWAYS


def _overdue(number: int) -> None:
    make_calendar(definition=ALWAYS)
    for _ in range(number):
        make_handoff(now=timezone.now() - timedelta(days=30))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wake", [tasks.enforce_deadlines, lambda: call_command("enforce_deadlines")]
)
def test_one_wake_up_records_everything_that_is_owed(wake: Callable[[], object]) -> None:
    _overdue(3)

    wake()

    assert not Clock.objects.filter(breached_at__isnull=True).exists()


@pytest.mark.django_db(transaction=True)
def test_the_loop_works_without_a_broker_and_ends_when_told_to() -> None:
    _overdue(1)
    environment = {
        **os.environ,
        "DATABASE_URL": _url_of_the_test_database(),
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    loop = subprocess.Popen(
        [sys.executable, "-m", "django", "enforce_deadlines", "--loop"],
        cwd=settings.BASE_DIR,
        env=environment,
    )
    try:
        give_up_at = monotonic() + 30
        while not Heartbeat.objects.filter(loop="enforce_deadlines").exists():
            assert monotonic() < give_up_at
            sleep(0.1)
        loop.send_signal(signal.SIGTERM)
        assert loop.wait(10) == 0
    finally:
        loop.kill()
        loop.wait()

    assert not Clock.objects.filter(breached_at__isnull=True).exists()


def _url_of_the_test_database() -> str:
    found = connection.settings_dict
    host = str(found["HOST"]).replace("/", "%2F")
    port = f":{found['PORT']}" if found["PORT"] else ""
    secret = f":{found['PASSWORD']}" if found["PASSWORD"] else ""
    return f"postgres://{found['USER']}{secret}@{host}{port}/{found['NAME']}"
