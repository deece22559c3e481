"""Leads with very many acts keep nobody waiting."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from crm.accounts.enums import Role
from engagement.enums import EventKind
from engagement.services import record_event
from engagement.signals import lead_captured
from leads.enums import LifecycleStage
from leads.models import Lead
from scoring.enums import ModelState
from scoring.models import HEAVY, LeadScore, ScoringModel
from scoring.services import create_draft, mark_due, score_due_leads, score_next_heavy_lead
from scoring.services.refresh import SLOW
from tests.concurrency import in_thread
from tests.factories import NOW, client_of, make_lead, make_user
from tests.faults.table_locks import locked, somebody_waits
from tests.processes import wait_for
from tests.scoring.logs import document, log_many, publish_model, score_of
from tests.scoring.test_refresh import slow_for

DAY = timedelta(days=1)
LATER = NOW + timedelta(seconds=2)


def make_heavy(acts: int = HEAVY + 1) -> Lead:
    """Make a lead whose score said that it came from very many acts, and is due again."""
    lead = make_lead(created_at=NOW - DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    LeadScore.objects.filter(pk=lead.pk).update(acts=acts)
    return lead


@pytest.mark.django_db
def test_a_form_does_not_wait_for_the_score_of_a_lead_with_very_many_acts() -> None:
    """Red when every captured lead is judged at once: a million acts took three seconds."""
    publish_model()
    lead = make_lead(created_at=NOW - DAY)
    log_many(lead.pk, HEAVY)
    record_event(lead_id=lead.pk, kind=EventKind.DEMO_REQUEST, occurred_at=NOW, now=NOW)

    lead_captured.send(sender=Lead, lead_ids=[lead.pk], now=NOW)

    assert (score_of(lead).computed_at, score_of(lead).score_due_at) == (None, NOW)
    assert score_due_leads(now=NOW) == 0
    assert score_next_heavy_lead(now=NOW)
    lead.refresh_from_db()
    assert (lead.stage, score_of(lead).acts) == (LifecycleStage.MQL, HEAVY + 1)


@pytest.mark.django_db
def test_the_sweep_over_all_others_leaves_out_who_did_very_much() -> None:
    """Red with one batch for all: whoever is in it waits for the acts of one lead."""
    publish_model()
    heavy, light = make_heavy(), make_lead()
    mark_due(lead_ids=[light.pk], now=NOW)

    assert [score_due_leads(now=NOW) for _ in range(2)] == [1, 0]
    assert [score_next_heavy_lead(now=NOW) for _ in "ab"] == [True, False]
    assert (score_of(heavy).computed_at, score_of(light).computed_at) == (NOW, NOW)


@pytest.mark.django_db(transaction=True)
def test_who_holds_a_batch_up_does_so_once() -> None:
    """Red when only what counts is told: a million views of pages without an asset give none."""
    publish_model()
    lead = make_lead(created_at=NOW - DAY)
    log_many(lead.pk, HEAVY + 1, kind="PAGE_VIEW")
    mark_due(lead_ids=[lead.pk], now=NOW)

    with slow_for(lead.pk, seconds=SLOW + 0.1):
        assert score_due_leads(now=NOW) == 1
    mark_due(lead_ids=[lead.pk], now=LATER)

    assert score_due_leads(now=LATER) == 0
    assert score_next_heavy_lead(now=LATER)
    assert score_of(lead).acts == HEAVY + 1


@pytest.mark.django_db
def test_a_lead_whose_acts_never_end_rests_between_its_scores() -> None:
    publish_model()
    lead = make_heavy()
    assert score_next_heavy_lead(now=NOW)
    mark_due(lead_ids=[lead.pk], now=LATER)
    LeadScore.objects.filter(pk=lead.pk).update(acts=1_000_000)

    assert not score_next_heavy_lead(now=NOW + timedelta(seconds=49))
    assert score_next_heavy_lead(now=NOW + timedelta(seconds=50))


@pytest.mark.django_db
def test_the_page_of_a_lead_with_very_many_acts_comes_before_their_lines() -> None:
    """Red when the page computes them itself: a million acts took more than a second."""
    model = publish_model()
    lead = make_heavy()
    LeadScore.objects.filter(pk=lead.pk).update(model=model, cell="B2")
    client = client_of(make_user(Role.MARKETER))
    explanation = reverse("scoring:explanation", args=[lead.pk])

    page = client.get(reverse("leads:detail", args=[lead.pk])).content.decode()
    panel = client.get(explanation, headers={"HX-Request": "true"}).content.decode()

    assert f'hx-get="{explanation}"' in page
    assert ">B2<" in page
    assert "Not evaluated: nothing is known" not in page
    assert "Not evaluated: nothing is known" in panel


@pytest.mark.django_db(transaction=True)
def test_what_is_learned_of_a_lead_while_it_is_computed_waits_for_nobody_and_is_not_lost() -> None:
    """Red with the row held meanwhile, and with a score that settles what it has not seen."""
    publish_model(document(mql={"cells": [], "fast_track": [{"kind": "DEMO_REQUEST"}]}))
    lead = make_heavy()

    def ask_for_a_demo() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        mark_due(lead_ids=[lead.pk], now=LATER)

    while_computing(ask_for_a_demo)

    score = score_of(lead)
    assert (score.computed_at, score.score_due_at, score.has_news) == (NOW, LATER, True)
    call_command("check_scores")


@pytest.mark.django_db(transaction=True)
def test_a_score_of_a_model_that_is_replaced_meanwhile_is_not_written() -> None:
    publish_model()
    lead = make_heavy()

    def switch() -> None:  # as a publication does, which looks into the log before
        other = create_draft(definition=document(), now=NOW)
        ScoringModel.objects.published().update(state=ModelState.RETIRED, retired_at=LATER)
        ScoringModel.objects.filter(pk=other.pk).update(
            state=ModelState.PUBLISHED, published_at=LATER
        )

    while_computing(switch)

    assert (score_of(lead).model, score_of(lead).score_due_at) == (None, NOW)
    assert score_next_heavy_lead(now=LATER)


def while_computing(act: Callable[[], object]) -> None:
    """Do something after a sweep has taken the lead and before it has computed its score."""
    with ThreadPoolExecutor() as pool, locked("engagement_event", "ACCESS EXCLUSIVE"):
        sweep = in_thread(pool, lambda: score_next_heavy_lead(now=NOW))
        wait_for(lambda: sweep.done() or somebody_waits("engagement_event"))
        act()
    assert sweep.result()
