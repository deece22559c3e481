from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engagement import tasks
from engagement.models import Event, InboxMessage
from engagement.services import BATCH, keep_partitions, receive

pytestmark = pytest.mark.django_db


def test_one_wake_up_absorbs_everything_that_waits() -> None:
    arrived = timezone.now() - timedelta(minutes=1)
    messages = [
        {"type": "page", "messageId": str(number), "anonymousId": "laptop"}
        for number in range(BATCH + 1)
    ]
    receive(source="site", messages=messages, received_at=arrived)

    tasks.absorb_events()

    assert Event.objects.count() == BATCH + 1
    assert not InboxMessage.objects.exists()


def test_a_wake_up_makes_the_partitions_ahead(without_months: None) -> None:
    assert tasks.keep_partitions() == 4
    assert keep_partitions(now=timezone.now()) == 0
