"""What brought leads: first, last, before a handoff, and as the source of new leads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.accounts.enums import Role
from crm.common.slots import lead_columns
from engagement.enums import Actor, EventKind
from engagement.services import record_event
from engagement.touches import arrivals_of, touch_before
from leads.models import Lead
from tests.engagement.inbox import CHROME, HOUR, NOW, absorb, identify, message
from tests.factories import client_of, make_lead, make_user

GOOGLE = {"source": "google", "medium": "cpc", "campaign": "planned downtime"}
LINKEDIN = {"source": "linkedin", "medium": "social", "referrer": "linkedin.com/feed/"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> Lead:
    return make_lead(created_at=NOW - timedelta(days=90))


def came(lead: Lead, hours_ago: int, touch: dict[str, str], **details: Any) -> None:
    record_event(
        lead_id=lead.pk, kind=EventKind.PAGE_VIEW, occurred_at=NOW - hours_ago * HOUR, now=NOW,
        touch=touch, **details,
    )  # fmt: skip


def page(message_id: str, hours_ago: int, referrer: str = "", **body: Any) -> dict[str, Any]:
    seen = {"url": "https://halvorn.example/blog", "referrer": referrer}
    return message(
        message_id, NOW - hours_ago * HOUR, context={"userAgent": CHROME, "page": seen}, **body
    )


def test_first_and_last_touch_are_those_of_people(lead: Lead) -> None:
    came(lead, 9, {"source": "bing", "medium": "organic"}, actor=Actor.MACHINE, actor_reason="x")
    came(lead, 8, GOOGLE)
    came(lead, 7, {})
    came(lead, 6, LINKEDIN)
    came(lead, 5, {})

    arrivals = arrivals_of([lead.pk], make_user(), NOW)[lead.pk]

    assert str(arrivals.first) == "Google, paid search"
    assert str(arrivals.last) == "LinkedIn, social"
    assert arrivals.last.at == NOW - 6 * HOUR


def test_the_touch_before_a_handoff_is_the_last_until_then(lead: Lead) -> None:
    other = make_lead()
    came(lead, 8, GOOGLE)
    came(lead, 2, LINKEDIN)

    found = touch_before({lead.pk: NOW - 5 * HOUR, other.pk: NOW})

    assert {pk: str(arrival) for pk, arrival in found.items()} == {lead.pk: "Google, paid search"}


def test_many_leads_cost_one_query(lead: Lead) -> None:
    others = [make_lead() for _ in range(5)]
    came(lead, 8, GOOGLE)
    viewer = make_user()

    with CaptureQueriesContext(connection) as queries:
        arrivals = arrivals_of([lead.pk, *(each.pk for each in others)], viewer, NOW)

    assert (len(queries), set(arrivals)) == (1, {lead.pk})


def test_a_new_lead_without_source_takes_that_of_its_first_touch() -> None:
    """Red without asking the log: the anonymous visit came in a batch before."""
    absorb(page("first", 30, "https://www.google.com/"))
    absorb(page("second", 20, "https://www.linkedin.com/feed/"), identify("who", "ada@example.com"))

    lead = Lead.objects.get(email="ada@example.com")
    assert (lead.source, lead.medium, lead.campaign) == ("google", "organic", "")


def test_a_source_that_was_named_stays() -> None:
    campaign = {"campaign": {"source": "partner", "medium": "referral"}}
    absorb(
        page("first", 30, "https://www.google.com/"),
        identify("who", "ada@example.com", properties=campaign),
    )

    lead = Lead.objects.get(email="ada@example.com")
    assert (lead.source, lead.medium) == ("partner", "referral")


def test_a_lead_that_is_known_keeps_having_no_source(lead: Lead) -> None:
    assert lead.email
    absorb(page("first", 30, "https://www.google.com/"), identify("who", lead.email))

    lead.refresh_from_db()
    assert lead.source == ""


def test_the_lead_page_tells_where_from(lead: Lead) -> None:
    came(lead, 8, GOOGLE)
    came(lead, 2, LINKEDIN)

    shown = client_of(make_user(Role.MARKETER)).get(f"/leads/{lead.pk}/").content.decode()

    assert "Where from" in shown
    assert "Google, paid search" in shown
    assert "planned downtime" in shown
    assert "linkedin.com/feed/" in shown


def test_a_lead_nobody_knows_anything_of_has_no_such_panel(lead: Lead) -> None:
    shown = client_of(make_user(Role.MARKETER)).get(f"/leads/{lead.pk}/").content.decode()

    assert "Where from" not in shown


@pytest.mark.parametrize(("name", "words"), [("first_touch", "Google, paid search"),
                                             ("last_touch", "LinkedIn, social")])  # fmt: skip
def test_the_list_can_show_touches(lead: Lead, name: str, words: str) -> None:
    came(lead, 8, GOOGLE)
    came(lead, 2, LINKEDIN)
    column = lead_columns.get(name)
    assert column is not None

    value = column.load([lead.pk], make_user(), NOW)[lead.pk]

    assert str(column.export(value)) == words
