from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from leads.enums import DealOutcome
from leads.enums import LifecycleStage as Stage
from leads.models import Deal, Lead
from leads.services import DealAlreadyRecorded, record_deal
from tests.factories import NOW, make_lead, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def record(lead: Lead, **details: Any) -> Deal:
    defaults: dict[str, Any] = {
        "outcome": DealOutcome.WON,
        "closed_at": NOW + DAY,
        "now": NOW + 2 * DAY,
    }
    return record_deal(lead_id=lead.pk, **{**defaults, **details})


@pytest.mark.parametrize("outcome", DealOutcome)
def test_a_deal_of_an_sql_ends_its_trip_on_the_day_it_closed(outcome: DealOutcome) -> None:
    lead, actor = make_lead(stage=Stage.SQL), make_user()

    deal = record(lead, outcome=outcome, value=Decimal("1200.50"), currency="EUR", actor=actor)

    lead.refresh_from_db()
    assert (deal.flag, deal.cycle, deal.value) == ("", 1, Decimal("1200.50"))
    assert (lead.stage, lead.stage_since) == (outcome, NOW + DAY)
    assert lead.stage_intervals.current().get().actor == actor


@pytest.mark.parametrize(
    ("stage", "closed_at", "flag"),
    [
        (Stage.SQL, NOW - DAY, "Closed before the lead was captured"),
        (Stage.SQL, NOW + 3 * DAY, "Closes in the future"),
        (Stage.MQL, NOW + DAY, "The lead was MQL, not SQL"),
    ],
)
def test_a_deal_that_contradicts_the_history_is_kept_with_a_flag(
    stage: Stage, closed_at: datetime, flag: str
) -> None:
    lead = make_lead(stage=stage)

    deal = record(lead, closed_at=closed_at)

    assert deal.flag == flag
    assert Deal.objects.count() == 1
    assert Lead.objects.get(pk=lead.pk).stage == stage


def test_a_deal_closed_before_the_stage_began_is_flagged() -> None:
    lead = make_lead(stage=Stage.SQL, stage_since=NOW + DAY)

    deal = record(lead, closed_at=NOW + DAY / 2)

    assert deal.flag == "Closed before the lead became SQL"
    assert Lead.objects.get(pk=lead.pk).stage == Stage.SQL


def test_a_deal_of_another_system_is_counted_once() -> None:
    record(make_lead(stage=Stage.SQL), system="crm", external_id="17")
    second = make_lead(stage=Stage.SQL)

    with pytest.raises(DealAlreadyRecorded):
        record(second, system="crm", external_id="17")

    assert Deal.objects.count() == 1
    assert Lead.objects.get(pk=second.pk).stage == Stage.SQL
