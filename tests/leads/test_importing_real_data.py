"""The public data sets through the public commands; skipped where they are not."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Count

from crm.common.models import OutboxMessage
from crm.reports.cohorts import Cohort, Split
from crm.reports.compliance import compliance
from crm.reports.funnel import FunnelRow, funnel
from crm.reports.standing import By, Scope
from handoff.enums import ClockKind
from handoff.models import Clock, Handoff
from leads.enums import DealOutcome
from leads.models import Deal, Lead

DATA = Path(os.environ.get("BATON_DATA_DIR", settings.BASE_DIR.parent / "shared" / "data"))
MAPPINGS = settings.BASE_DIR / "examples" / "mappings"
pytestmark = [
    # committed chunk by chunk, as in earnest: one check of all lines at the end takes too long
    pytest.mark.django_db(transaction=True),
    pytest.mark.realdata,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not on this machine"),
]


def load(command: str, file: str, mapping: str) -> None:
    """Import a data set through its command."""
    call_command(command, str(DATA / file), mapping=MAPPINGS / mapping, stdout=_Nowhere())


class _Nowhere:
    def write(self, text: str) -> None:
        """Drop what the command says."""


def share(row: FunnelRow) -> float:
    """Return the percentage won, one decimal."""
    basis = next(iter(row.reached.values()))
    return round(100 * row.reached["WON"] / basis, 1)


def test_olist_shows_its_real_funnel() -> None:
    load("import_leads", "olist_marketing_qualified_leads_dataset.csv", "olist_leads.json")
    load("import_deals", "olist_closed_deals_dataset.csv", "olist_deals.json")
    cohort = Cohort("MQL", datetime(2017, 6, 1, tzinfo=UTC), datetime(2018, 7, 1, tzinfo=UTC))
    whole, parts = funnel(cohort, split=Split.SOURCE)
    assert (whole.reached["MQL"], whole.reached["WON"], share(whole)) == (8000, 842, 10.5)
    by_origin: Mapping[str | None, FunnelRow] = {part.key: part for part in parts}
    assert {key: share(by_origin[key]) for key in _OLIST_SHARES} == _OLIST_SHARES
    assert by_origin[""].reached["MQL"] == 60
    _, months = funnel(cohort, split=Split.MONTH)
    assert sum(month.reached["WON"] for month in months) == 842
    assert {month.key for month in months} == {
        *(f"2017-{month:02}" for month in range(6, 13)),
        *(f"2018-{month:02}" for month in range(1, 6)),
    }
    assert Deal.objects.values("owner").distinct().count() == 22
    assert Deal.objects.filter(attributes__closed_at_is_a_date="yes").count() == 61
    [flagged] = Deal.objects.exclude(flag="")
    assert flagged.closed_at < flagged.lead.created_at


_OLIST_SHARES = {
    "unknown": 16.3, "paid_search": 12.3, "organic_search": 11.8, "direct_traffic": 11.2,
    "referral": 8.5, "social": 5.6, "display": 5.1, "email": 3.0, "other": 2.7,
}  # fmt: skip


def test_x_education_has_one_google_and_no_select() -> None:
    load("import_leads", "xeducation_leads.csv", "xeducation_leads.json")
    assert Lead.objects.count() == 9240
    assert Lead.objects.filter(stage="WON").count() == 3561
    assert Lead.objects.filter(source="google").count() == 2873
    assert not Lead.objects.filter(source="testone").exists()
    kept = json.dumps(list(Lead.objects.values_list("attributes", "city", "source")))
    assert '"Select"' not in kept
    assert Lead.objects.filter(attributes__do_not_email=True).count() == 734


def test_the_crm_pipeline_has_its_win_rate() -> None:
    load("import_leads", "crm_sales_pipeline.csv", "crm_pipeline_leads.json")
    load("import_deals", "crm_sales_pipeline.csv", "crm_pipeline_deals.json")
    won = Deal.objects.filter(outcome=DealOutcome.WON)
    lost = Deal.objects.filter(outcome=DealOutcome.LOST)
    assert (Lead.objects.count(), won.count(), lost.count()) == (8800, 4238, 2473)
    assert round(100 * won.count() / Deal.objects.count(), 1) == 63.2
    assert sum(deal.value or 0 for deal in won) == 10_005_534
    assert set(Deal.objects.values_list("product", flat=True)) >= {"GTX Pro"}
    assert not Deal.objects.filter(product="GTXPro").exists()
    assert Lead.objects.filter(company=None).count() == 1425
    assert Lead.objects.exclude(company=None).values("company").distinct().count() == 85
    assert Deal.objects.values("owner").distinct().count() == 30
    assert not Deal.objects.exclude(flag="").exists()


def test_the_pipeline_is_measured_as_handoffs_to_its_agents() -> None:
    load("import_leads", "crm_sales_pipeline.csv", "crm_pipeline_leads.json")
    load("import_handoffs", "crm_sales_pipeline.csv", "crm_pipeline_handoffs.json")
    load("import_handoffs", "crm_sales_pipeline.csv", "crm_pipeline_handoffs.json")
    assert dict(Handoff.objects.values_list("state").annotate(Count("id"))) == {
        "QUALIFIED": 4238, "DISQUALIFIED": 2473,
    }  # fmt: skip
    scope = Scope(
        ClockKind.VERDICT, datetime(2016, 1, 1, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC)
    )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    found = compliance(scope, By.REP, since=scope.start, now=now)
    assert (found.whole.received, found.whole.due, len(found.rows)) == (6711, 6711, 30)
    assert found.whole.late == Clock.objects.exclude(breached_at=None).count()
    assert not OutboxMessage.objects.exists()
