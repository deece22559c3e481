from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crm.common import health
from crm.common.models import Heartbeat

NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def test_a_beat_replaces_the_last_one_with_all_it_says() -> None:
    health.beat("sla", NOW, backlog=3, oldest_due_at=NOW - timedelta(minutes=5))
    health.beat("sla", NOW + timedelta(seconds=2))

    kept = Heartbeat.objects.get()
    assert (kept.loop, kept.succeeded_at) == ("sla", NOW + timedelta(seconds=2))
    assert (kept.backlog, kept.oldest_due_at) == (0, None)


def test_a_round_that_ends_late_does_not_turn_the_heartbeat_back() -> None:
    health.beat("sla", NOW, backlog=0)
    health.beat("sla", NOW - timedelta(minutes=1), backlog=9)

    kept = Heartbeat.objects.get()
    assert (kept.succeeded_at, kept.backlog) == (NOW, 0)


def test_each_loop_has_a_heartbeat_of_its_own() -> None:
    health.beat("sla", NOW)
    health.beat("outbox", NOW)

    assert Heartbeat.objects.count() == 2
