"""Workers that absorb are killed in the middle of a load, again and again."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Count
from django.utils import timezone

from engagement.models import Event, EventKey, InboxMessage, VisitorLink
from engagement.services import BATCH, receive
from leads.models import Lead, StageInterval
from scoring.models import LeadScore
from scoring.services import ensure_model
from tests.emptying import others_at_work
from tests.faults.background import Background
from tests.processes import wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

MESSAGES = 8 * BATCH
KILLS = 2
PEOPLE = 300


def visits() -> list[dict[str, Any]]:
    """Return page views, some of people who say who they are, each twice as a client resends."""
    arrived = timezone.now() - timedelta(minutes=1)
    sent: list[dict[str, Any]] = [
        {
            "type": "page",
            "messageId": str(number),
            "anonymousId": f"browser-{number % 1000}",
            "timestamp": arrived.isoformat(),
        }
        for number in range(MESSAGES)
    ]
    for number in range(PEOPLE):
        traits = {"email": f"person{number}@firm{number}.example"}
        sent[number * (MESSAGES // PEOPLE)] |= {
            "type": "identify", "anonymousId": f"person-{number}", "traits": traits,
        }  # fmt: skip
    return sent


def test_killing_the_workers_in_mid_load_loses_and_doubles_nothing(background: Background) -> None:
    """Red without the one transaction of a batch, and without the unique key of messages."""
    ensure_model(now=timezone.now())
    sent = visits()
    with background.paused("worker-events"):
        receive(source="site", messages=[*sent, *sent[::10]], received_at=timezone.now())

    for _ in range(KILLS):
        before = InboxMessage.objects.count()
        assert before > BATCH, "the workers were done before they were killed"
        wait_for(lambda before=before: InboxMessage.objects.count() < before)  # type: ignore[misc]
        wait_for(others_at_work)
        background.kill_child("worker-events")
    wait_for(lambda: not InboxMessage.objects.exists(), seconds=120)
    wait_for(lambda: not LeadScore.objects.due(timezone.now()).exists())

    assert (Event.objects.count(), EventKey.objects.count()) == (MESSAGES, MESSAGES)
    assert not Event.objects.values("id").annotate(n=Count("id")).filter(n__gt=1).exists()
    assert (Lead.objects.count(), VisitorLink.objects.count()) == (PEOPLE, PEOPLE)
    assert StageInterval.objects.count() == PEOPLE
    assert LeadScore.objects.filter(computed_at__isnull=False).count() == PEOPLE
    assert Event.objects.filter(lead__isnull=False).count() == PEOPLE
