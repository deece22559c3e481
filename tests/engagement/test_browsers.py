"""The panel "Browsers and devices", its acts, and what the timeline tells of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.accounts.enums import Role
from engagement.enums import LinkReason
from engagement.models import Event, Visitor, VisitorLink
from engagement.services import dismiss_claim, link_visitor
from leads.models import Lead
from tests.engagement.inbox import HOUR, NOW, absorb, message
from tests.factories import client_of, make_lead, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Lead:
    return make_lead(email="ada@example.com", first_name="Ada", last_name="Byron")


@pytest.fixture
def web() -> Client:
    return client_of(make_user(Role.MARKETER, full_name="Mira"))


def link(
    lead: Lead, name: str = "3f2a9c1b-laptop", *, proven: bool = True, at: datetime = NOW
) -> VisitorLink:
    return link_visitor(
        anonymous_id=name, lead_id=lead.pk, reason=LinkReason.FORM, now=at,
        evidence="Contact form", proven=proven,
    )  # fmt: skip


def page(web: Client, lead: Lead) -> str:
    return web.get(reverse("leads:detail", args=[lead.pk])).content.decode()


def act(web: Client, made: VisitorLink, name: str, **said: str) -> Any:
    url = reverse("engagement:link_act", args=[made.lead_id, made.pk, name])
    return web.post(url, {"words": "She said so", **said}, follow=True)


def test_a_lead_without_browsers_has_no_panel(web: Client, ada: Lead) -> None:
    assert "Browsers and devices" not in page(web, ada)


def test_the_panel_says_why_and_since_when(web: Client, ada: Lead) -> None:
    link(ada)

    shown = page(web, ada)

    assert "<b>Browser 3f2a9c1b</b>" in shown
    assert "Sent a form: Contact form. Since 21 Nov 2026" in shown
    assert "Recognised on browser 3f2a9c1b" in shown


def test_a_rep_sees_the_browsers_and_changes_none(ada: Lead) -> None:
    rep = make_user(Role.REP)
    Lead.objects.update(owner=rep)
    link(ada)

    shown = page(client_of(rep), ada)

    assert "Browser 3f2a9c1b" in shown
    assert ">Detach<" not in shown


def test_detaching_asks_first_and_then_tells_why_on_the_timeline(web: Client, ada: Lead) -> None:
    absorb(message("before", anonymousId="3f2a9c1b-laptop"))
    made = link(ada)

    asked = web.get(reverse("engagement:link_act", args=[ada.pk, made.pk, "detach"]))
    answered = act(web, made, "detach", words="A kiosk")

    shown = answered.content.decode()
    assert "The 1 event that came with it belongs to nobody again" in asked.content.decode()
    assert Event.objects.get().lead is None
    assert "Browser 3f2a9c1b is detached." in shown
    assert "Detached from browser 3f2a9c1b" in shown
    assert "By Mira. A kiosk" in shown


def test_an_act_without_a_reason_is_refused(web: Client, ada: Lead) -> None:
    made = link(ada)

    answered = act(web, made, "detach", words="")

    made.refresh_from_db()
    assert (answered.status_code, made.detached_at) == (422, None)


def test_a_claim_waits_on_the_page_until_it_is_confirmed(web: Client, ada: Lead) -> None:
    claim = link(ada, proven=False)

    waiting = page(web, ada)
    act(web, claim, "confirm")

    assert ">Confirm<" in waiting
    assert ">Dismiss<" in waiting
    assert Visitor.objects.get().lead == ada
    assert "Confirmed by a colleague: By Mira. She said so" in page(web, ada)


def test_a_claim_is_dismissed_and_reopened(web: Client, ada: Lead) -> None:
    claim = link(ada, proven=False)

    act(web, claim, "dismiss")
    dismissed = page(web, ada)
    act(web, claim, "restore")

    assert "Claim of browser 3f2a9c1b dismissed" in dismissed
    assert ">Confirm<" in page(web, ada)


def test_what_a_colleague_did_first_is_said(web: Client, ada: Lead) -> None:
    claim = link(ada, proven=False)
    dismiss_claim(link_id=claim.pk, actor=make_user(Role.ADMIN), now=NOW)

    answered = act(web, claim, "confirm")

    assert "This claim was settled meanwhile." in answered.content.decode()


def test_dismissing_never_detaches_what_was_proven_meanwhile(web: Client, ada: Lead) -> None:
    made = link(ada)

    act(web, made, "dismiss")

    made.refresh_from_db()
    assert made.holds


def test_the_link_of_another_lead_and_an_unknown_act_do_not_exist(web: Client, ada: Lead) -> None:
    made, other = link(ada), make_lead()

    foreign = web.post(
        reverse("engagement:link_act", args=[other.pk, made.pk, "detach"]), {"words": "x"}
    )

    made.refresh_from_db()
    assert (foreign.status_code, act(web, made, "steal").status_code) == (404, 404)
    assert made.holds


def test_a_script_in_the_id_of_a_browser_is_text(web: Client, ada: Lead) -> None:
    link(ada, "<script>")

    assert "<b>Browser &lt;script&gt;</b>" in page(web, ada)


def test_more_browsers_cost_no_more_queries(web: Client, ada: Lead) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(web, ada)
        return len(queries)

    link(ada, "first")
    link(ada, "claim", proven=False, at=NOW - HOUR)
    few = count()
    for number in range(30):
        link(ada, f"browser-{number}", proven=number % 2 == 0, at=NOW + (number + 1) * HOUR)

    assert count() == few


def test_a_shared_browser_says_so(web: Client, ada: Lead) -> None:
    link(ada)
    link_visitor(
        anonymous_id="3f2a9c1b-laptop", lead_id=make_lead().pk, reason=LinkReason.FORM,
        now=NOW + HOUR,
    )  # fmt: skip

    assert "Somebody else uses it now." in page(web, ada)
