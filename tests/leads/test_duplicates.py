"""Possible duplicates on the lead page, and the way on from where a lead stood."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.duplicates import possible_duplicates
from leads.models import Lead
from leads.services import record_activity
from tests.factories import NOW, client_of, make_lead, make_user

pytestmark = pytest.mark.django_db
INES = {"first_name": "Ines", "last_name": "Kallweit"}


@pytest.fixture
def mira() -> User:
    return make_user(Role.MARKETER)


@pytest.fixture
def web(mira: User) -> Client:
    return client_of(mira)


def _found(lead: Lead, viewer: User) -> list[tuple[Lead, str]]:
    told = possible_duplicates(lead, viewer, NOW)
    return [(each.lead, each.same) for each in told["duplicates"]] if told else []


def test_who_shares_name_and_company_or_phone_may_be_the_same(mira: User) -> None:
    lead = make_lead(**INES, phone="+493023125418")
    colleague = make_lead(**INES)
    moved = make_lead(**INES, company_name="Ossola", phone="+493023125418")
    make_lead(**INES, company_name="Ossola")
    make_lead(first_name="Ines", last_name="Sommer")

    assert _found(lead, mira) == [(colleague, "company"), (moved, "phone")]


def test_what_is_unknown_is_nothing_in_common(mira: User) -> None:
    lead = make_lead(**INES, company_name="", phone="")
    make_lead(**INES, company_name="", phone="")
    nameless = make_lead(first_name="", last_name="")
    make_lead(first_name="", last_name="")

    assert _found(lead, mira) == []
    with CaptureQueriesContext(connection) as queries:
        assert _found(nameless, mira) == []
    assert len(queries) == 0


def test_a_rep_is_told_of_no_lead_they_may_not_see() -> None:
    rep = make_user()
    lead = make_lead(**INES, owner=rep)
    make_lead(**INES, owner=make_user())
    own = make_lead(**INES, owner=rep)

    assert _found(lead, rep) == [(own, "company")]


def test_the_page_names_them(web: Client) -> None:
    lead, other = make_lead(**INES), make_lead(**INES)

    page = web.get(reverse("leads:detail", args=[lead.pk])).content.decode()

    assert "Possible duplicate" in page
    assert reverse("leads:detail", args=[other.pk]) in page


def _way(web: Client, url: str) -> Any:
    context = web.get(url).context
    return context["previous"], context["next"]


def test_the_way_goes_on_from_where_the_lead_stood_whatever_became_of_it(web: Client) -> None:
    first, second, third, fourth = (
        make_lead(last_activity_at=NOW - timedelta(hours=hours)) for hours in range(4)
    )
    opened = web.get(reverse("leads:detail", args=[second.pk]), {"from": "view=no_source"})
    place = opened.context["next_place"]
    address = f"{reverse('leads:detail', args=[third.pk])}?from=view%3Dno_source&at={place}"

    record_activity(latest={third.pk: NOW + timedelta(hours=1)})

    assert _way(web, address) == (second, fourth)
    assert _way(web, address.replace("&at=", "&at=x")) == (None, first)
    Lead.objects.filter(pk=third.pk).update(source="webinar")  # it leaves the view
    assert _way(web, address) == (second, fourth)
