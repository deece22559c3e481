"""Acts that became buying acts by a publication: their leads are listed, and released in waves."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from leads.enums import LifecycleStage
from leads.models import Lead, StageInterval
from leads.services import change_stage
from scoring.models import RaisedHand, WaveLead
from scoring.services import mark_due, renew_scores, waiting_leads
from tests.factories import NOW, make_lead
from tests.scoring.logs import document, force_model, log_act, publish_model, settle
from tests.scoring.test_releasing import DAY, HOUR, PUBLISHED_AT, order, release

pytestmark = pytest.mark.django_db

DEMO, PRICE = {"kind": "DEMO_REQUEST"}, {"kind": "PRICING_REQUEST"}
WITHOUT = document(mql={"cells": ["A1"]})
WITH = document(mql={"cells": ["A1"], "fast_track": [DEMO]})
FRENCH = {"field": "country", "op": "in", "value": ["FR"]}


def lead_that_asked(at: datetime = NOW, kind: str = "DEMO_REQUEST", **fields: Any) -> Lead:
    lead = make_lead(**{"country": "DE", "created_at": NOW - 100 * DAY, **fields})
    log_act(lead.pk, kind, at)
    mark_due(lead_ids=[lead.pk], now=at)
    settle(at)
    return lead


def put_in_force(definition: dict[str, Any], now: datetime = PUBLISHED_AT) -> None:
    force_model(definition, now=now)
    while renew_scores(now=now):
        pass
    settle(now)


def waiting(now: datetime = PUBLISHED_AT) -> list[Lead]:
    return list(chain(*waiting_leads(now=now)))


def test_who_asked_before_that_was_a_fast_track_waits_and_is_released_for_it() -> None:
    publish_model(WITHOUT)
    lead = lead_that_asked()
    put_in_force(WITH)
    assert (lead.stage, waiting()) == ("LEAD", [lead])
    order(count=1)
    release()
    move = StageInterval.objects.get(lead=lead, stage="MQL")
    assert move.rule == "Released by hand: asked for a demo, a fast track by model v2"
    assert waiting() == []


def test_who_waits_for_a_cell_and_for_an_act_waits_once_and_is_released_by_rank() -> None:
    """Red with parts that overlap: the lead stood there twice."""
    publish_model(WITHOUT)
    by_act = lead_that_asked(country="")  # no cell while its fit is not known
    both = lead_that_asked()
    log_act(both.pk, "DOWNLOAD")
    mark_due(lead_ids=[both.pk], now=NOW)
    settle()
    put_in_force(document(mql={"cells": ["B4"], "fast_track": [DEMO]}))

    assert waiting() == [both, by_act]
    assert [each.lead for each in order(count=2).leads.order_by("id")] == [both, by_act]


def test_an_act_that_was_a_fast_track_before_lists_nobody() -> None:
    publish_model(WITH)
    lead = lead_that_asked()
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.LEAD,
        now=NOW + HOUR / 2,
        override=True,
        reason="By mistake",
    )
    put_in_force(document(mql={"cells": ["A1"], "fast_track": [DEMO, PRICE]}))
    assert waiting() == []


def test_who_is_barred_does_not_wait_for_an_act() -> None:
    publish_model(WITHOUT)
    lead_that_asked(country="FR")
    bars = {"label": "France", "criteria": FRENCH}
    put_in_force(document(mql={**WITH["mql"], "blocking": [bars]}))
    assert waiting() == []


def test_who_asked_while_blocked_waits_once_a_publication_lifts_the_block() -> None:
    """Red when only the kinds of acts are compared: who asked for sales is listed nowhere."""
    bars = {"label": "France", "criteria": FRENCH}
    publish_model(document(mql={**WITH["mql"], "blocking": [bars]}))
    french = lead_that_asked(country="FR")
    lead_that_asked(kind="DOWNLOAD", country="FR")
    put_in_force(WITH)
    assert (french.stage, waiting()) == ("LEAD", [french])
    put_in_force(document(mql={**WITH["mql"], "cells": ["A1", "A2"]}), PUBLISHED_AT + HOUR)
    assert waiting() == [french]
    order(count=1)
    release(PUBLISHED_AT + 2 * HOUR)
    assert StageInterval.objects.filter(lead=french, stage="MQL").exists()


def test_an_act_lists_its_lead_while_it_counts() -> None:
    publish_model(WITHOUT)
    lead_that_asked(NOW - 30 * DAY)
    lead = lead_that_asked(NOW - 29 * DAY)
    put_in_force(WITH)
    assert (waiting(), waiting(NOW + DAY + HOUR)) == ([lead], [])


def test_an_act_of_a_cycle_that_is_over_lists_nobody() -> None:
    publish_model(WITHOUT)
    lead = lead_that_asked(NOW - 2 * DAY)
    for stage in (LifecycleStage.MQL, LifecycleStage.RECYCLED):
        change_stage(lead_id=lead.pk, to_stage=stage, now=NOW - DAY, rule="By hand")
    put_in_force(WITH)
    assert waiting() == []


def test_who_waits_for_an_act_goes_on_waiting_under_the_next_models() -> None:
    publish_model(WITHOUT)
    lead = lead_that_asked()
    force_model(WITH, now=PUBLISHED_AT)
    put_in_force(WITH, PUBLISHED_AT + HOUR)
    assert waiting() == [lead]
    put_in_force(WITHOUT, PUBLISHED_AT + 2 * HOUR)
    assert (waiting(), RaisedHand.objects.count()) == ([], 0)


def test_an_act_that_counts_no_more_when_its_turn_comes_is_left_out() -> None:
    publish_model(WITHOUT)
    lead = lead_that_asked(NOW - 29 * DAY)
    put_in_force(WITH)
    order(lead_ids=[lead.pk])
    release(NOW + 2 * DAY)
    assert WaveLead.objects.get().left_out == "no longer meets the definition: B4"


def test_news_move_a_lead_that_waits_for_an_act_as_the_act_says() -> None:
    publish_model(WITHOUT)
    lead = lead_that_asked()
    put_in_force(WITH)
    log_act(lead.pk, "DOWNLOAD", PUBLISHED_AT + HOUR)
    mark_due(lead_ids=[lead.pk], now=PUBLISHED_AT + HOUR)
    settle(PUBLISHED_AT + HOUR)
    assert StageInterval.objects.get(lead=lead, stage="MQL").rule == "Fast track: asked for a demo"
    assert waiting() == []


def test_the_acts_of_a_model_that_was_replaced_meanwhile_are_not_kept() -> None:
    publish_model(WITHOUT)
    lead_that_asked()
    force_model(WITH, now=PUBLISHED_AT)
    RaisedHand.objects.create(
        lead=make_lead(), kind="DEMO_REQUEST", counts_until=PUBLISHED_AT + timedelta(days=9)
    )
    force_model(WITHOUT, now=PUBLISHED_AT + HOUR)
    assert RaisedHand.objects.count() == 0
