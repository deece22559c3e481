"""A score says whether its lead is open: can still become an MQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import transaction

from leads.enums import LifecycleStage
from leads.services import change_stage
from scoring.models import LeadScore
from scoring.services import mark_due
from scoring.services.standing import OPEN_STAGES
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import NOW, make_lead


@pytest.mark.django_db
def test_open_are_the_stages_that_scoring_may_end() -> None:
    leads = [make_lead(stage=stage) for stage in LifecycleStage]

    mark_due(lead_ids=[lead.pk for lead in leads], now=NOW)

    found = LeadScore.objects.filter(is_open=True).values_list("lead__stage", flat=True)
    assert set(found) == set(OPEN_STAGES)


@pytest.mark.django_db(transaction=True)
def test_the_first_score_of_a_lead_waits_for_who_moves_it() -> None:
    lead = make_lead()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change_stage(lead_id=lead.pk, to_stage=LifecycleStage.MQL, now=NOW, rule="By hand")
            first = in_thread(pool, partial(mark_due, lead_ids=[lead.pk], now=NOW))
            wait_until_blocked(first)
        first.result()

    assert not LeadScore.objects.get(pk=lead.pk).is_open
