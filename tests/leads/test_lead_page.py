"""The lead page: who sees what of a lead, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.slots import Panel, lead_panels
from leads.enums import AttributeType, LifecycleStage
from leads.models import Company, Lead, LeadAttribute
from leads.services import change_stage, create_lead, update_lead
from tests.factories import client_of, make_lead, make_user
from tests.leads.acting import view

pytestmark = pytest.mark.django_db


def page(web: Client, lead: Lead, query: str = "") -> str:
    answer = web.get(reverse("leads:detail", args=[lead.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_says_who_it_is_and_where_they_came_from(web: Client, lead: Lead) -> None:
    shown = page(web, lead)

    for words in (
        "Ines Kallweit",
        "<bdi>Head of maintenance</bdi>, <bdi>Kesterwald Pumpen</bdi>",
        'href="tel:+493023125418"',
        'href="mailto:i.kallweit@kesterwald.example"',
        "Esslingen, Germany",
        "Paid search",
        "Downtime spring",
        "Captured from Paid search",
    ):
        assert words in shown


def test_custom_attributes_are_shown_by_their_labels_and_types(web: Client) -> None:
    for name, label, kind in (
        ("shifts", "Shifts", AttributeType.NUMBER),
        ("certified", "ISO certified", AttributeType.BOOLEAN),
        ("renewal", "Renewal", AttributeType.DATE),
    ):
        LeadAttribute.objects.create(name=name, label=label, type=kind)
    lead = create_lead(
        now=timezone.now(),
        last_name="Kallweit",
        attributes={"shifts": "1250", "certified": "no", "renewal": "2026-05-31"},
    )

    facts = web.get(reverse("leads:detail", args=[lead.pk])).context["attributes"]

    assert [(fact.label, fact.value) for fact in facts] == [
        ("ISO certified", "No"),
        ("Renewal", "31 May 2026"),
        ("Shifts", "1,250"),
    ]


def test_figures_of_the_company_are_told_apart_from_those_of_the_lead(web: Client) -> None:
    LeadAttribute.objects.create(name="employees", label="Staff", type=AttributeType.NUMBER)
    company = Company.objects.create(
        name="Kesterwald Pumpen", employees=75, industry="Metal", created_at=timezone.now()
    )
    lead = make_lead(company=company, attributes={"employees": 300})

    shown = page(web, lead)

    assert "Company record: 75 staff, Metal" in shown
    assert "<dt>Staff</dt><dd>300<" in shown.replace("\n", "")


def test_what_a_stranger_typed_is_shown_as_text(web: Client) -> None:
    lead = create_lead(now=timezone.now(), last_name="<script>alert(1)</script>")

    assert "<script>alert(1)" not in page(web, lead)


def test_a_rep_sees_their_leads_and_those_of_their_pool_alone(lead: Lead) -> None:
    rep = make_user(Role.REP)
    mine = make_lead(owner=rep)

    assert client_of(rep).get(reverse("leads:detail", args=[mine.pk])).status_code == 200
    for name in ("detail", "timeline", "edit"):
        hidden = client_of(rep).get(reverse(f"leads:{name}", args=[lead.pk]))
        assert hidden.status_code == 404


@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**30])
def test_a_lead_that_does_not_exist_is_not_found(web: Client, number: int) -> None:
    assert web.get(f"/leads/{number}/").status_code == 404


def test_colleagues_are_counted_only_as_far_as_the_person_may_see(lead: Lead) -> None:
    rep = make_user(Role.REP)
    mine = create_lead(now=timezone.now(), email="b@kesterwald.example")
    Lead.objects.filter(pk=mine.pk).update(owner=rep)

    seen = [
        client_of(user).get(reverse("leads:detail", args=[mine.pk])).context["colleagues"]
        for user in (rep, make_user(Role.MANAGER))
    ]

    assert lead.company_id == mine.company_id
    assert seen == [0, 1]


def test_days_and_times_are_those_of_the_viewer() -> None:
    moment = timezone.now() - timedelta(days=3)
    lead = make_lead(created_at=moment)
    viewer = make_user(Role.MARKETER, time_zone="Pacific/Auckland")

    shown = page(client_of(viewer), lead)

    local = moment.astimezone(ZoneInfo("Pacific/Auckland"))
    assert f"{local:%a} {local.day} {local:%b}" in shown
    assert f">{local:%H:%M}<" in shown


def ways(web: Client, lead: Lead, query: str) -> Any:
    return web.get(reverse("leads:detail", args=[lead.pk]), {"from": query}).context


def test_the_way_back_is_the_list_the_person_came_from(web: Client, lead: Lead) -> None:
    query = "view=all&f=stage.in.MQL&sort=-created"
    cleared = "view=new_this_week&f="

    assert ways(web, lead, query)["back_url"] == f"{reverse('leads:list')}?{query}"
    assert ways(web, lead, cleared)["back_url"] == f"{reverse('leads:list')}?{cleared}"
    assert ways(web, lead, "")["back_url"] == reverse("leads:list")


@pytest.mark.parametrize(
    "query", ["//evil.example/?a=1", "f=\x00", "f=nonsense&sort=x&view=y", "%"]
)
def test_a_list_that_cannot_be_leads_to_the_list_all_the_same(
    web: Client, lead: Lead, query: str
) -> None:
    assert ways(web, lead, query)["back_url"].startswith(reverse("leads:list"))


def test_the_leads_beside_are_those_of_the_list_in_its_order(web: Client) -> None:
    now = timezone.now()
    newest, here, hidden, oldest = (
        make_lead(created_at=now - timedelta(hours=age), country=country)
        for age, country in ((1, "DE"), (2, "DE"), (3, "FR"), (4, "DE"))
    )

    found = ways(web, here, "view=all&f=country.in.DE")
    first = ways(web, newest, "view=all&f=country.in.DE")

    assert (found["previous"], found["next"]) == (newest, oldest)
    assert (first["previous"], first["next"]) == (None, here)
    assert hidden not in (found["next"], first["next"])


def test_a_rep_is_led_only_to_leads_they_may_see() -> None:
    now = timezone.now()
    rep = make_user(Role.REP)
    make_lead(created_at=now - timedelta(hours=1))
    mine = make_lead(created_at=now - timedelta(hours=2), owner=rep)

    found = ways(client_of(rep), mine, "view=all")

    assert (found["previous"], found["next"]) == (None, None)


@pytest.fixture
def panel(tmp_path: Any, settings: Any) -> Iterator[None]:
    (tmp_path / "panel.html").write_text("<p>Seen by {{ viewer }}: {{ words }}</p>")
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}
    ]
    lead_panels.register(
        Panel("test", 1, "header", lambda lead, viewer, now: {"words": "Accept"}, "panel.html"),
        Panel("test_none", 1, "left", lambda lead, viewer, now: None, "missing.html"),
    )
    yield
    for name in ("test", "test_none"):
        del lead_panels._items[name]


def test_apps_furnish_the_page(panel: None, web: Client, lead: Lead, marketer: User) -> None:
    assert f"<p>Seen by {marketer}: Accept</p>" in page(web, lead)


def test_the_next_step_is_shown_with_its_time(web: Client, lead: Lead) -> None:
    Lead.objects.filter(pk=lead.pk).update(
        next_step="Send the offer", next_step_at=timezone.now() - timedelta(days=1)
    )

    shown = page(web, lead)

    assert "Send the offer" in shown
    assert "Was due" in shown


def test_a_move_of_the_lead_is_on_its_timeline(web: Client, lead: Lead, marketer: User) -> None:
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.DISQUALIFIED,
        now=timezone.now(),
        actor=marketer,
        reason="Student",
    )

    assert "Became Disqualified" in page(web, lead)


def test_an_edit_of_the_lead_is_on_its_timeline(web: Client, lead: Lead, marketer: User) -> None:
    update_lead(lead_id=lead.pk, now=timezone.now(), actor=marketer, city="Bergen")

    shown = page(web, lead)
    assert "City Esslingen to Bergen" in shown
    assert f"By {marketer}" in shown


def test_a_longer_history_costs_no_more_queries(web: Client, lead: Lead) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(web, lead)
        return len(queries)

    view(lead, minutes_ago=1)
    few = count()
    for number in range(40):
        view(lead, minutes_ago=number + 2)
    one_stretch_full = count()
    for number in range(100):
        view(lead, minutes_ago=number + 50)

    assert one_stretch_full == few
    assert count() == one_stretch_full
