from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from leads.enums import LifecycleStage
from leads.services import change_stage
from scoring.models import LeadScore
from scoring.services import gains, mark_due
from tests.factories import NOW, make_lead
from tests.scoring.logs import document, log_act, publish_model

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DOWNLOADS = {
    "label": "Downloads",
    "match": {"kind": "DOWNLOAD"},
    "points": 10,
    "half_life_days": 30,
    "cap": 15,
}


def test_an_act_gains_what_its_rule_gives_until_the_cap_is_reached() -> None:
    publish_model(document(DOWNLOADS))
    lead = make_lead()
    first, second, third = NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR
    for moment in (first, second, third):
        log_act(lead.pk, "DOWNLOAD", moment)

    found = gains(lead.pk, [third, first, second, first], NOW)

    # Ten, five to the cap of fifteen, and what an hour of decay had made room for: nothing to show.
    assert found == {first: Decimal(10), second: Decimal(5), third: Decimal(0)}


def test_machines_and_acts_that_no_rule_counts_gain_nothing() -> None:
    publish_model(document(DOWNLOADS))
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW - 2 * HOUR, is_human=False)
    log_act(lead.pk, "PAGE_VIEW", NOW - HOUR)

    found = gains(lead.pk, [NOW - 2 * HOUR, NOW - HOUR], NOW)

    assert found == {NOW - 2 * HOUR: Decimal(0), NOW - HOUR: Decimal(0)}


def test_what_was_received_late_gains_at_the_time_it_happened() -> None:
    publish_model(document(DOWNLOADS))
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW - 5 * HOUR, received_at=NOW - HOUR)

    found = gains(lead.pk, [NOW - 5 * HOUR], NOW)

    assert found == {NOW - 5 * HOUR: Decimal(10)}


def test_an_act_of_an_earlier_cycle_keeps_its_gain() -> None:
    publish_model(document(DOWNLOADS))
    lead = make_lead(created_at=NOW - 9 * HOUR)
    log_act(lead.pk, "DOWNLOAD", NOW - 8 * HOUR)
    for hours, stage in ((7, LifecycleStage.MQL), (6, LifecycleStage.RECYCLED)):
        change_stage(
            lead_id=lead.pk, to_stage=stage, now=NOW - hours * HOUR, rule="Test", reason="later"
        )
    log_act(lead.pk, "DOWNLOAD", NOW - HOUR)

    found = gains(lead.pk, [NOW - 8 * HOUR, NOW - HOUR], NOW)

    assert found == {NOW - 8 * HOUR: Decimal(10), NOW - HOUR: Decimal(10)}


def test_without_a_model_nothing_gains() -> None:
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW - HOUR)

    assert gains(lead.pk, [NOW - HOUR], NOW) == {}


def test_of_a_lead_with_very_many_acts_only_the_latest_gains_are_computed() -> None:
    publish_model(document(DOWNLOADS))
    lead = make_lead()
    first, second = NOW - 2 * HOUR, NOW - HOUR
    log_act(lead.pk, "DOWNLOAD", first)
    log_act(lead.pk, "DOWNLOAD", second)
    mark_due(lead_ids=[lead.pk], now=NOW)
    LeadScore.objects.filter(pk=lead.pk).update(acts=1_000_000)

    assert gains(lead.pk, [first, second], NOW) == {second: Decimal(5)}
