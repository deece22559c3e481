from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engagement.enums import Actor, EventKind, FunnelStage
from engagement.models import Event
from engagement.services import create_asset, record_event
from engagement.signals import events_absorbed
from leads.services import create_lead

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_what_baton_itself_saw_is_an_event_like_any_other() -> None:
    heard: list[Any] = []
    lead = create_lead(now=NOW - 9 * DAY, email="ada@example.com")
    webinar = create_asset(name="OEE live", slug="oee-live", funnel_stage=FunnelStage.MOFU)

    def hear(*, lead_ids: list[int], **_: object) -> None:
        heard.append(lead_ids)

    events_absorbed.connect(hear)
    made = record_event(
        lead_id=lead.pk,
        kind=EventKind.WEBINAR_ATTENDED,
        occurred_at=NOW - DAY,
        now=NOW,
        asset=webinar,
        properties={"minutes": 40},
    )
    events_absorbed.disconnect(hear)

    lead.refresh_from_db()
    assert (made.lead_id, made.kind, made.asset_id) == (lead.pk, "WEBINAR_ATTENDED", webinar.pk)
    assert (made.funnel_stage, made.actor) == (FunnelStage.MOFU, Actor.HUMAN)
    assert (made.occurred_at, made.received_at) == (NOW - DAY, NOW)
    assert made.properties == {"minutes": 40}
    assert lead.last_activity_at == NOW - DAY
    assert heard == [[lead.pk]]


def test_the_same_message_id_is_the_same_event() -> None:
    lead = create_lead(now=NOW - DAY, email="ada@example.com")

    first, again = (
        record_event(
            lead_id=lead.pk,
            kind=EventKind.EMAIL_CLICK,
            occurred_at=at,
            now=NOW,
            message_id="mail:7:click",
        )
        for at in (NOW - DAY, NOW)
    )

    assert first.pk == again.pk
    assert Event.objects.count() == 1


def test_an_event_cannot_be_recorded_before_it_happens() -> None:
    lead = create_lead(now=NOW - DAY, email="ada@example.com")

    with pytest.raises(ValueError, match="cannot happen after"):
        record_event(lead_id=lead.pk, kind=EventKind.CUSTOM, occurred_at=NOW + DAY, now=NOW)
