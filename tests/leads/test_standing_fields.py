from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm.common.criteria import compile_q, from_query, parse
from leads.enums import ConsentPurpose, DealOutcome
from leads.models import Company, Lead
from leads.services import record_consent, record_deal
from leads.signals import standing_changed
from scoring.certainty import certainly_not_q, certainly_q
from tests.factories import NOW, make_lead

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def found(query: str, *, at: Any = NOW) -> set[str]:
    """Return the first names of the leads that an ``f`` parameter asks for."""
    asked = compile_q(from_query([query]), now=at)
    return set(Lead.objects.filter(asked).values_list("first_name", flat=True))


@pytest.fixture
def addresses() -> None:
    for name, email in (
        ("Ines", "ines@rival.com"),
        ("Oskar", "oskar@mail.rival.com"),
        ("Yara", "yara@notrival.com"),
        ("Tomas", "rival.com@gmail.com"),
        ("Noor", None),
    ):
        make_lead(first_name=name, email=email)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("email_domain.is.rival.com", {"Ines", "Oskar"}),
        ("email_domain.is.@RIVAL.com; notrival.com", {"Ines", "Oskar", "Yara"}),
        ("email_domain.is_not.rival.com", {"Yara", "Tomas"}),
        ("email_domain.is.@", set()),
        ("email_domain.is_set", {"Ines", "Oskar", "Yara", "Tomas"}),
        ("email_domain.is_empty", {"Noor"}),
        ("free_mailbox.is.yes", {"Tomas"}),
    ],
)
def test_an_address_tells_where_it_is_from(addresses: None, query: str, names: set[str]) -> None:
    assert found(query) == names


def test_a_company_is_asked_for_by_what_is_known_of_it() -> None:
    known = Company.objects.create(
        name="Kolbe Ventile", industry="Manufacturing", employees=412, country="DE", created_at=NOW
    )
    make_lead(first_name="Ines", company=known)
    make_lead(first_name="Oskar", company=Company.objects.create(name="Trygve", created_at=NOW))
    make_lead(first_name="Yara", company=None)

    assert found("company_industry.is.manufacturing") == {"Ines"}
    assert found("company_employees.at_least.250") == {"Ines"}
    assert found("company_employees.is_empty") == {"Oskar", "Yara"}
    assert found("company_country.not_in.AT") == {"Ines"}


def consent(lead: Lead, days: float, *, is_granted: bool) -> None:
    record_consent(
        lead_id=lead.pk, purpose=ConsentPurpose.CONTACT, text="You may call me", source="Form",
        asked_at=NOW + days * DAY, given_at=NOW + days * DAY, is_granted=is_granted,
        now=NOW + days * DAY,
    )  # fmt: skip


def test_consent_is_asked_for_as_it_was_then() -> None:
    ines = make_lead(first_name="Ines")
    make_lead(first_name="Oskar")
    consent(ines, 0, is_granted=True)
    consent(ines, 2, is_granted=False)

    answers = {
        days: (
            found("consent_contact.in.GIVEN", at=NOW + days * DAY),
            found("consent_contact.in.WITHDRAWN", at=NOW + days * DAY),
            found("consent_contact.is_set", at=NOW + days * DAY),
        )
        for days in (-1, 1, 3)
    }
    assert answers == {
        -1: (set(), set(), set()),
        1: ({"Ines"}, set(), {"Ines"}),
        3: (set(), {"Ines"}, {"Ines"}),
    }
    assert found("consent_marketing.is_empty") == {"Ines", "Oskar"}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"not": {"field": "consent_contact", "op": "in", "value": ["GIVEN"]}}, {"Oskar", "Yara"}),
        ({"not": {"field": "consent_contact", "op": "in", "value": ["WITHDRAWN"]}},
         {"Ines", "Yara"}),
        ({"field": "consent_contact", "op": "not_in", "value": ["GIVEN"]}, {"Oskar"}),
        ({"not": {"field": "consent_contact", "op": "not_in", "value": ["GIVEN"]}},
         {"Ines", "Yara"}),
    ],
)  # fmt: skip
def test_who_was_never_asked_has_not_given_consent(asked: Any, names: set[str]) -> None:
    for name, is_granted in (("Ines", True), ("Oskar", False)):
        consent(make_lead(first_name=name), 0, is_granted=is_granted)
    make_lead(first_name="Yara")
    leads = Lead.objects.filter(compile_q(parse(asked), now=NOW))
    assert set(leads.values_list("first_name", flat=True)) == names


def test_a_consent_of_later_is_not_known_yet() -> None:
    consent(make_lead(first_name="Ines"), 2, is_granted=True)
    given = parse({"field": "consent_contact", "op": "in", "value": ["GIVEN"]})
    for ask in (certainly_q, certainly_not_q):
        assert not Lead.objects.filter(ask(given, now=NOW)).exists()


def test_colleagues_of_whoever_bought_are_a_customers_from_that_day_on() -> None:
    company = Company.objects.create(name="Kolbe Ventile", created_at=NOW)
    buyer = make_lead(first_name="Ines", company=company, stage="SQL", created_at=NOW - 30 * DAY)
    colleague = make_lead(first_name="Oskar", company=company)
    make_lead(first_name="Yara", company=None)
    make_lead(first_name="Tomas", company=None)
    heard: list[list[int]] = []

    def hear(*, lead_ids: list[int], **_: Any) -> None:
        heard.append(lead_ids)

    standing_changed.connect(hear)
    try:
        record_deal(lead_id=buyer.pk, outcome=DealOutcome.WON, closed_at=NOW, now=NOW + DAY)
    finally:
        standing_changed.disconnect(hear)

    assert found("customer.is.yes", at=NOW) == {"Ines", "Oskar"}
    assert found("customer.is.no", at=NOW) == {"Yara", "Tomas"}
    assert found("customer.is.yes", at=NOW - DAY) == set()
    assert heard == [[buyer.pk, colleague.pk]]


def test_a_deal_that_is_to_close_in_the_future_makes_no_customer() -> None:
    """It contradicts its own record, is flagged, and moves nothing else either."""
    company = Company.objects.create(name="Kolbe Ventile", created_at=NOW)
    buyer = make_lead(first_name="Ines", company=company)
    make_lead(first_name="Oskar", company=company)
    record_deal(lead_id=buyer.pk, outcome=DealOutcome.WON, closed_at=NOW + DAY, now=NOW)

    for at in (NOW, NOW + 2 * DAY):
        assert found("customer.is.yes", at=at) == set()
        assert found("customer.is.no", at=at) == {"Ines", "Oskar"}


def test_a_lost_deal_makes_no_customer() -> None:
    lead = make_lead(stage="SQL", created_at=NOW - 30 * DAY)
    record_deal(lead_id=lead.pk, outcome=DealOutcome.LOST, closed_at=NOW, now=NOW)

    assert found("customer.is.yes") == set()
