"""Every page with a house full of demo data: accessible, and never wider than the window."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from engagement.models import Asset, AttendanceUpload, CaptureForm, Offer, Source, Webinar
from engagement.services import download_url
from handoff.models import Handoff, RoutingRule, SlaTier, WorkCalendar
from leads.models import KeptView, Lead
from tests.e2e.looks import DESK, PHONE, TABLET, Look, faults, overflow
from tests.factories import client_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

LOOKS: list[Look] = [("light", DESK), ("dark", PHONE)]
UNBROKEN = "Wolfeschlegelsteinhausenbergerdorff" * 3  # what a name may be: 100 letters, no space
TO_THE_LEFT = "חברת ייעוץ ארוכה מאוד בירושלים يوسف عبد الرحمن"


@pytest.fixture
def house() -> None:
    """Make the demo company, a small one: whoever is called first in a queue has the longest name.

    So have all people, and one of what else is named; another's name runs to the left.
    """
    call_command("seed_demo", leads=30, seed=3, stdout=io.StringIO())
    Lead.objects.filter(handoffs__closed_at=None, handoffs__isnull=False).update(
        first_name="", last_name=UNBROKEN[:100], company_name=UNBROKEN[:100], title=UNBROKEN[:100]
    )
    User.objects.update(full_name=UNBROKEN[:100])
    named: list[QuerySet[Any]] = [
        RoutingRule.objects.all(), SalesTeam.objects.all(), WorkCalendar.objects.all(),
        Asset.objects.all(), Offer.objects.all(), Webinar.objects.all(), CaptureForm.objects.all(),
    ]  # fmt: skip
    for each in named:
        longest, other = each.order_by("pk").values_list("pk", flat=True)[:2]
        each.filter(pk=longest).update(name=UNBROKEN[:100])
        each.filter(pk=other).update(name=TO_THE_LEFT)
    SlaTier.objects.filter(is_fast_track=True).update(name=UNBROKEN[:60])
    for name in (UNBROKEN[:60], TO_THE_LEFT):
        KeptView.objects.create(
            owner=person(Role.MARKETER), name=name, sort="name", page_size=50,
            created_at=timezone.now(),
        )  # fmt: skip


def person(role: Role) -> User:
    return User.objects.filter(roles=[role]).order_by("id")[0]


def addresses(role: Role, user: User) -> list[str]:
    """Return the pages of one desk; those that several desks have are looked at once."""
    lead = Lead.objects.filter(last_name=UNBROKEN[:100]).order_by("id")[0]
    if role is Role.MARKETER:
        names = [
            "leads:create", "reports:funnel", "shell:notifications",
            "engagement:forms", "engagement:form_create", "engagement:machine_events",
            "engagement:sources", "engagement:source_add", "scoring:model",
            "scoring:releases", "leads:views",
        ]  # fmt: skip
        form = CaptureForm.objects.get(slug="request-demo")
        source = Source.objects.get(name="sample-site")
        sent = reverse("engagement:submissions", args=[form.pk])
        return [
            *map(reverse, names), f"{reverse('leads:list')}?view=all&size=25",
            f"{reverse('shell:search')}?q=wolfe", cycles(),
            reverse("engagement:form_edit", args=[form.pk]), sent, f"{sent}?state=REFUSED",
            reverse("engagement:hosted_form", args=[form.slug]), *content_pages(),
            reverse("engagement:source", args=[source.pk]),
            reverse("engagement:source_edit", args=[source.pk]), reverse("demo:sample_home"),
        ]  # fmt: skip
    if role is Role.REP:
        handoff = Handoff.objects.filter(holder=user, closed_at=None).order_by("id")[0]
        acts = ["handoff", "bant", "reject", "log", "snooze"]
        return [
            *map(reverse, ["handoff:queue", "handoff:pool", "handoff:agreement"]),
            *map(reverse, ["reports:own", "reports:own_handoffs"]),
            *(reverse(f"handoff:{name}", args=[handoff.pk]) for name in acts),
            reverse("leads:detail", args=[handoff.lead_id]),
        ]
    if role is Role.MANAGER:
        names = [
            "reports:today", "handoff:team", "handoff:refused", "handoff:calendars",
            "handoff:routing", "reports:sla", "reports:sla_handoffs", "leads:imports",
        ]  # fmt: skip
        one = [reverse(f"leads:{name}", args=[lead.pk]) for name in ("edit", "stage")]
        other = Lead.objects.exclude(pk=lead.pk).order_by("id")[0]
        return [
            *map(reverse, names),
            *one,
            reverse("leads:merge_compare", args=[lead.pk, other.pk]),
        ]
    names = [
        "accounts:people", "accounts:invite", "accounts:teams", "accounts:team_add",
        "accounts:preferences", "shell:health", "account_change_password", "mfa_index",
    ]  # fmt: skip
    team = reverse("accounts:team", args=[SalesTeam.objects.order_by("id")[0].pk])
    return [*map(reverse, names), team, reverse("accounts:person", args=[user.pk])]


def cycles() -> str:
    """Return the address of the cycles that became MQL lately."""
    today = timezone.localdate()
    figure = f"FLOW:{today - timedelta(days=90)}:{today}:MQL:cycles"
    return f"{reverse('reports:funnel_cycles')}?figure={figure}"


def content_pages() -> list[str]:
    """Return the pages of content, and what strangers see of it."""
    asset = Asset.objects.get(slug="guide-downtime")
    offer = Offer.objects.get(slug="request-demo")
    webinar = Webinar.objects.order_by("starts_at", "id")[0]
    lead, now = Lead.objects.order_by("id")[0], timezone.now()
    upload = AttendanceUpload.objects.create(
        webinar=webinar, filename="list.csv", columns={"email": "Mail"}, uploaded_at=now
    )
    upload.rows.create(line=2, email=f"{UNBROKEN[:60]}@example.com", result="UNKNOWN")
    names = ["assets", "asset_add", "offers", "offer_add", "webinars", "webinar_add"]
    old_link = download_url(asset=asset, lead_id=lead.pk, now=now - timedelta(days=8))
    return [
        *(reverse(f"engagement:{name}") for name in names),
        *(reverse(f"engagement:{name}", args=[asset.slug]) for name in ("asset", "asset_edit")),
        *(reverse(f"engagement:{name}", args=[offer.slug]) for name in ("offer", "offer_page")),
        reverse("engagement:webinar", args=[webinar.slug]),
        reverse("engagement:attendance_add", args=[webinar.slug]),
        reverse("engagement:attendance", args=[upload.pk]),
        urlsplit(old_link).path,
    ]


def test_every_page_is_accessible_and_fits(page: Page, base_url: str, house: None) -> None:
    """All desks in one house, which takes seconds to fill."""
    found = []
    for role in Role:
        user = person(role)
        enter(page, base_url, user)
        found += [f"{at}: {fault}" for at in addresses(role, user) for fault in flaws(page, at)]

    assert found == []


@pytest.mark.parametrize(
    "name", ["account_login", "account_reset_password", "account_signup", "account_inactive"]
)
def test_every_page_before_the_login_is_accessible_and_fits(page: Page, name: str) -> None:
    assert flaws(page, reverse(name)) == []


def enter(page: Page, base_url: str, user: User) -> None:
    name = settings.SESSION_COOKIE_NAME
    session = client_of(user).cookies[name].value
    host = urlsplit(base_url).hostname or ""
    page.context.add_cookies([{"name": name, "value": session, "domain": host, "path": "/"}])


def flaws(page: Page, address: str) -> list[str]:
    """Look at a page in two looks, and at its width on a tablet as well."""
    found = faults(page, address, looks=LOOKS)
    page.set_viewport_size(TABLET)
    return found + overflow(page, TABLET)
