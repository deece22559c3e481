"""Why a timeline holds no act is said on the page of the lead."""

from __future__ import annotations

import pytest

from crm.accounts.enums import Role
from engagement.enums import EventKind, LinkReason, SourceKind
from engagement.models import Source
from engagement.services import create_source, link_visitor, record_event
from leads.models import Lead
from tests.factories import NOW, client_of, make_lead, make_user

pytestmark = pytest.mark.django_db


def page_of(lead: Lead, query: str = "") -> str:
    viewer = client_of(make_user(Role.MARKETER))
    return viewer.get(f"/leads/{lead.pk}/{query}").content.decode()


def open_website(**fields: object) -> None:
    create_source(name="site", label="Site", kind=SourceKind.WEBSITE, now=NOW)
    Source.objects.update(**fields)


def test_without_a_website_tracking_is_not_installed() -> None:
    create_source(name="shop", label="Shop", kind=SourceKind.SERVER, now=NOW)

    assert "Tracking is not installed" in page_of(make_lead())


def test_a_website_that_is_switched_off_is_not_installed_either() -> None:
    open_website(is_active=False, last_received_at=NOW)

    assert "Tracking is not installed" in page_of(make_lead())


def test_a_website_that_has_sent_nothing_is_named_as_silent() -> None:
    open_website()

    assert "nothing has arrived from any website yet" in page_of(make_lead())


def test_where_others_are_tracked_this_person_did_not_agree_or_is_not_identified() -> None:
    open_website(last_received_at=NOW)
    lead = make_lead()

    assert "consent was not given" in page_of(lead)
    assert "consent was not given" in page_of(lead, "?kind=acts")
    assert "consent was not given" not in page_of(lead, "?kind=sales")


def test_a_known_browser_that_did_nothing_is_told_apart() -> None:
    open_website(last_received_at=NOW)
    lead = make_lead()
    link_visitor(anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW)

    assert "consent was not given" not in page_of(lead)


def test_a_lead_that_did_something_needs_no_explanation() -> None:
    lead = make_lead()
    record_event(lead_id=lead.pk, kind=EventKind.DOWNLOAD, occurred_at=NOW, now=NOW)

    assert "Tracking is not installed" not in page_of(lead)
