"""Forms lead back to the lead page at its place in the list from which it was opened."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.accounts.models import User
from handoff.models import Handoff
from leads.enums import LifecycleStage as Stage
from leads.models import Lead
from tests.factories import client_of, make_lead, make_team
from tests.handoff.factories import make_agreement, make_calendar, make_handoff, make_rep
from tests.handoff.test_pages import ALWAYS

pytestmark = pytest.mark.django_db

PLACE = "?from=view%3Dall%26sort%3Dname&at=xyz"
SOLD = {"outcome": "WON", "value": "100", "currency": "EUR", "product": "Lines"}


@pytest.fixture
def rep() -> User:
    make_calendar(definition=ALWAYS)
    make_agreement()
    return make_rep(make_team())


def here(lead: Lead) -> str:
    return f"{reverse('leads:detail', args=[lead.pk])}{PLACE}"


def came_back(rep: User, url: str, said: dict[str, Any], back: str) -> str:
    answer = client_of(rep).post(url, {**said, "back": back})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_the_lead_page_tells_its_forms_where_it_stands(rep: User) -> None:
    lead = make_handoff(rep=rep).lead

    page = client_of(rep).get(here(lead)).content.decode()

    back = f"?back={quote(here(lead))}"
    addresses = [reverse(f"leads:{name}", args=[lead.pk]) for name in ("edit", "history")]
    handoff = Handoff.objects.get()
    addresses += [reverse("handoff:reject", args=[handoff.pk])]
    assert [f'href="{address}{back}"' in page for address in addresses] == [True] * 3
    assert f'name="back" value="{here(lead).replace("&", "&amp;")}"' in page


def test_facts_deal_and_verdict_come_back_to_that_place(rep: User) -> None:
    handoff = make_handoff(rep=rep, now=timezone.now())
    lead, sold = handoff.lead, make_lead(owner=rep, stage=Stage.SQL)
    edit, deal = (reverse(f"leads:{name}", args=[each.pk])
                  for name, each in (("edit", lead), ("deal", sold)))  # fmt: skip
    judged = {"need": "NO", "verdict": "DISQUALIFY", "disqualify_reason": "NO_NEED"}
    closed = {**SOLD, "closed_on": timezone.localdate().isoformat()}

    assert came_back(rep, edit, {"email": "new@a.example"}, here(lead)) == here(lead)
    assert came_back(rep, deal, closed, here(sold)) == here(sold)
    bant = reverse("handoff:bant", args=[handoff.pk])
    assert came_back(rep, bant, judged, here(lead)) == here(lead)


def test_a_way_back_to_another_site_is_none(rep: User) -> None:
    lead = make_lead(owner=rep)
    edit = reverse("leads:edit", args=[lead.pk])

    plain = reverse("leads:detail", args=[lead.pk])
    assert came_back(rep, edit, {"email": "a@a.example"}, "https://evil.example/") == plain
    assert came_back(rep, edit, {"email": "b@a.example"}, "//evil.example/") == plain
