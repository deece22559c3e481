"""Won and lost on the lead page: with value or reason, once, and never against the history."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.enums import LifecycleStage as Stage
from leads.models import Deal, Lead
from leads.services import NothingToClose, close_deal
from tests.factories import client_of, make_lead, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
WON = {"outcome": "WON", "value": "12400.50", "currency": "chf", "product": "Two lines"}
LOST = {"outcome": "LOST", "currency": "EUR", "reason": "A rival was cheaper"}


@pytest.fixture
def rep() -> User:
    return make_user(Role.REP)


@pytest.fixture
def web(rep: User) -> Client:
    return client_of(rep)


@pytest.fixture
def lead(rep: User) -> Lead:
    now = timezone.now()
    return make_lead(
        stage=Stage.SQL, owner=rep, created_at=now - 30 * DAY, stage_since=now - 10 * DAY
    )


def _page(lead: Lead) -> str:
    return reverse("leads:deal", args=[lead.pk])


def _close(web: Client, lead: Lead, **fields: Any) -> Any:
    day = (timezone.localdate() - 2 * DAY).isoformat()
    return web.post(_page(lead), {"closed_on": day, **fields})


def test_a_won_deal_is_recorded_with_its_value(web: Client, lead: Lead, rep: User) -> None:
    answer = _close(web, lead, **WON)

    lead.refresh_from_db()
    deal = Deal.objects.get()
    assert answer["Location"] == reverse("leads:detail", args=[lead.pk])
    assert (deal.value, deal.currency, deal.product) == (Decimal("12400.50"), "CHF", "Two lines")
    assert (deal.owner, deal.flag, lead.stage) == (rep, "", Stage.WON)
    assert deal.closed_at.date() == timezone.localdate() - 2 * DAY
    page = web.get(reverse("leads:detail", args=[lead.pk])).content.decode()
    assert "12,400.50 CHF" in page
    assert "Record deal" not in page


def test_a_lost_deal_keeps_its_reason_in_the_history(web: Client, lead: Lead) -> None:
    _close(web, lead, **LOST)

    last = lead.stage_intervals.current().get()
    assert (last.stage, last.reason) == (Stage.LOST, "A rival was cheaper")


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({**WON, "value": ""}, "value"),
        ({**WON, "value": "-1"}, "value"),
        ({**WON, "value": "12 thousand"}, "value"),
        ({**WON, "currency": "EURO"}, "currency"),
        ({**LOST, "reason": ""}, "reason"),
        ({**WON, "closed_on": (timezone.localdate() + 2 * DAY).isoformat()}, "closed_on"),
        ({**WON, "closed_on": (timezone.localdate() - 20 * DAY).isoformat()}, "closed_on"),
        ({**WON, "closed_on": "9999-12-31"}, "closed_on"),
        ({}, "outcome"),
    ],
)
def test_what_is_missing_or_cannot_be_stands_beside_its_field(
    web: Client, lead: Lead, fields: dict[str, str], wrong: str
) -> None:
    answer = _close(web, lead, **fields)

    assert answer.status_code == 422
    assert wrong in answer.context["form"].errors
    assert not Deal.objects.exists()


def test_the_day_on_which_it_became_an_sql_is_no_day_before(web: Client, lead: Lead) -> None:
    same_day = timezone.localtime(lead.stage_since).date().isoformat()

    assert _close(web, lead, **{**WON, "closed_on": same_day}).status_code == 302
    assert Deal.objects.get().closed_at >= lead.stage_since


def test_sent_twice_it_is_one_deal(web: Client, lead: Lead) -> None:
    for _ in range(2):
        assert _close(web, lead, **WON, form_token="one").status_code == 302

    assert Deal.objects.count() == 1


def test_a_deal_that_somebody_else_recorded_meanwhile_is_refused(web: Client, lead: Lead) -> None:
    _close(web, lead, **LOST)

    answer = _close(web, lead, **WON)

    assert answer.status_code == 422
    assert "The lead was Lost, not SQL." in answer.content.decode()
    assert Deal.objects.count() == 1
    with pytest.raises(NothingToClose):
        close_deal(lead_id=lead.pk, outcome="WON", closed_at=timezone.now(), now=timezone.now())  # type: ignore[arg-type]


def test_only_an_sql_has_a_deal_to_close(web: Client, rep: User) -> None:
    lead = make_lead(owner=rep)

    assert web.get(_page(lead))["Location"] == reverse("leads:detail", args=[lead.pk])
    assert "Record deal" not in web.get(reverse("leads:detail", args=[lead.pk])).content.decode()


@pytest.mark.parametrize(("stage", "act"), [(Stage.LEAD, "Hand off"), (Stage.SQL, "Record deal")])
def test_the_header_offers_the_next_act_of_the_stage(stage: Stage, act: str) -> None:
    lead = make_lead(stage=stage)

    page = client_of(make_user(Role.MANAGER)).get(reverse("leads:detail", args=[lead.pk]))

    assert f"{act}…" in page.content.decode()
