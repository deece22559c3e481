"""Two requests at the same time are one act."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from threading import Event as Signal
from typing import Any

import pytest

from engagement.enums import EventKind
from engagement.models import Event
from engagement.services.deeds import record_unless_lately
from engagement.signals import events_absorbed
from tests.concurrency import side_by_side
from tests.engagement.content import make_asset
from tests.factories import NOW, make_lead

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slow_first() -> Iterator[Signal]:
    """Keep the first act's transaction open for a moment after it wrote its event."""
    written, waited = Signal(), Signal()

    def wait(**_: Any) -> None:
        if not written.is_set():
            written.set()
            waited.wait(timeout=1)

    events_absorbed.connect(wait)
    yield written
    events_absorbed.disconnect(wait)


def test_a_second_request_waits_for_the_first_and_finds_its_event(slow_first: Signal) -> None:
    lead, asset = make_lead(), make_asset()

    def download() -> Event:
        return record_unless_lately(
            lead_id=lead.pk, kind=EventKind.DOWNLOAD, now=NOW, within=timedelta(minutes=10),
            alike={"asset": asset}, asset=asset,
        )  # fmt: skip

    def later() -> Event:
        assert slow_first.wait(timeout=10)
        return download()

    first, second = side_by_side(download, later)

    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert first.pk == second.pk
    assert Event.objects.count() == 1
