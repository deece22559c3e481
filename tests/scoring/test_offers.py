"""The fast track of an offer comes before that of its kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engagement.enums import EventKind, OfferKind
from engagement.services import accept_offer
from leads.enums import LifecycleStage
from leads.models import Lead, StageInterval
from scoring.services import buying_act, explain
from tests.engagement.content import make_offer
from tests.factories import NOW, make_lead
from tests.scoring.logs import document, publish_model, settle

pytestmark = pytest.mark.django_db

NO_KINDS = document(mql={"cells": ["A1"], "fast_track": []})


def accepts(lead: Lead, **offer: Any) -> None:
    """Let a lead accept an offer, and score it."""
    accept_offer(offer=make_offer(**offer), lead_id=lead.pk, now=NOW)
    settle()


def stage_of(lead: Lead) -> tuple[str, str]:
    open_stage = StageInterval.objects.get(lead=lead, ended_at=None)
    return open_stage.stage, open_stage.rule


def someone() -> Lead:
    return make_lead(country="", created_at=NOW - timedelta(days=1))


def test_an_offer_without_fast_track_makes_no_mql_though_its_kind_would() -> None:
    publish_model()
    lead = someone()

    accepts(lead, slug="tour", kind=OfferKind.DEMO, is_fast_track=False)

    assert stage_of(lead)[0] == LifecycleStage.LEAD
    assert buying_act(lead_id=lead.pk, now=NOW) is None
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert told.fast_track == ""
    assert told.held_back == (
        "asked for a demo on 12 May 2026 by the offer tour, which is no fast track"
    )


@pytest.mark.parametrize("model", [document(), NO_KINDS])
def test_an_offer_with_fast_track_makes_an_mql_though_its_kind_would_not(
    model: dict[str, Any],
) -> None:
    publish_model(model)
    lead = someone()

    accepts(lead, slug="spring", kind=OfferKind.PROMOTION, is_fast_track=True)

    assert stage_of(lead) == (LifecycleStage.MQL, "Fast track: accepted a promotion")
    act = buying_act(lead_id=lead.pk, now=NOW)
    assert act is not None
    assert (act.kind, act.has_shortest_tier, act.offer) == (
        EventKind.PROMOTION_ACCEPTED,
        True,
        "spring",
    )
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert told.fast_track == "accepted a promotion on 12 May 2026 by the offer spring"
    assert told.held_back == ""


def test_changing_the_setting_later_changes_nothing_that_was_accepted_before() -> None:
    publish_model()
    lead, offer = someone(), make_offer(is_fast_track=False)
    accept_offer(offer=offer, lead_id=lead.pk, now=NOW)

    offer.is_fast_track = True
    offer.save(update_fields=["is_fast_track"])
    settle()

    assert stage_of(lead)[0] == LifecycleStage.LEAD


def test_another_act_of_the_kind_still_fast_tracks() -> None:
    publish_model()
    lead = someone()
    accepts(lead, kind=OfferKind.DEMO, is_fast_track=False)

    accepts(lead, kind=OfferKind.DEMO, is_fast_track=True)

    assert stage_of(lead)[0] == LifecycleStage.MQL
