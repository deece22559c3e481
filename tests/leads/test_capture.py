from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.enums import AttributeType
from leads.models import Company, Lead, LeadAttribute, LeadFact, StageInterval
from leads.services import (
    Capture,
    DuplicateEmail,
    LeadInvalid,
    create_lead,
    create_leads,
    fitting_values,
    update_lead,
)
from leads.services.companies import match_companies, match_company
from leads.signals import leads_changed
from tests.factories import NOW, make_lead, make_user

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=1)


@pytest.fixture
def announced() -> Iterator[list[tuple[list[int], datetime]]]:
    heard = []

    def listen(*, lead_ids: list[int], now: datetime, **_: Any) -> None:
        heard.append((lead_ids, now))

    leads_changed.connect(listen)
    yield heard
    leads_changed.disconnect(listen)


def test_a_captured_lead_is_in_its_first_stage_since_capture() -> None:
    actor = make_user()

    lead = create_lead(now=LATER, created_at=NOW, actor=actor, first_name="Ines")

    opened = lead.stage_intervals.get()
    assert (opened.stage, opened.cycle, opened.sequence) == ("LEAD", 1, 1)
    assert (opened.started_at, opened.ended_at, opened.actor) == (NOW, None, actor)
    assert (lead.stage, lead.stage_since, lead.last_activity_at) == ("LEAD", NOW, NOW)


def test_values_are_stored_in_one_spelling() -> None:
    lead = create_lead(
        now=NOW, email=" Ines@Kesterwald.example", phone="030 23125418", country="Germany",
        source="Organic Search", website="kesterwald.example",
    )  # fmt: skip

    lead.refresh_from_db()
    assert lead.email == "ines@kesterwald.example"
    assert lead.phone == "+493023125418"
    assert lead.country == "DE"
    assert lead.source == "organic_search"
    assert lead.website == "https://kesterwald.example"


def test_every_value_that_does_not_fit_is_named() -> None:
    with pytest.raises(LeadInvalid) as refused:
        create_lead(
            now=NOW, email="none", country="Atlantis", title="x" * 151, last_name="a\x00",
            city="\ud800", shoe_size="44", attributes={"budget": "1"},
        )  # fmt: skip

    assert refused.value.problems == {
        "email": "'none' is not an e-mail address",
        "country": "'Atlantis' is not a country",
        "title": "is longer than 150 characters",
        "last_name": "holds a character that is no text",
        "city": "holds a character that is no text",
        "shoe_size": "is not a field of a lead",
        "budget": "is not a declared attribute",
    }
    assert not Lead.objects.exists()


def test_a_stage_cannot_be_written_as_a_value() -> None:
    with pytest.raises(LeadInvalid):
        create_lead(now=NOW, stage="SQL")


def test_attributes_are_stored_as_declared() -> None:
    LeadAttribute.objects.create(name="staff", label="Staff", type=AttributeType.NUMBER)

    lead = create_lead(now=NOW, attributes={"staff": "250"})

    assert Lead.objects.get(pk=lead.pk).attributes == {"staff": 250}


def test_an_attribute_of_the_wrong_type_is_refused() -> None:
    LeadAttribute.objects.create(name="staff", label="Staff", type=AttributeType.NUMBER)

    with pytest.raises(LeadInvalid) as refused:
        create_lead(now=NOW, attributes={"staff": "many"})

    assert refused.value.problems == {"staff": "'many' is not a number"}


def test_a_blank_answer_removes_an_attribute_and_others_stay() -> None:
    for name in ("staff", "budget"):
        LeadAttribute.objects.create(name=name, label=name, type=AttributeType.NUMBER)
    lead = create_lead(now=NOW, attributes={"staff": "250", "budget": "9"})

    update_lead(lead_id=lead.pk, now=LATER, attributes={"staff": ""})

    assert Lead.objects.get(pk=lead.pk).attributes == {"budget": 9}


def test_what_was_known_at_capture_is_in_the_fact_log() -> None:
    actor = make_user()
    lead = create_lead(now=LATER, created_at=NOW, actor=actor, country="DE", title="Head")

    facts = LeadFact.objects.filter(lead=lead).order_by("field")
    assert [(each.field, each.value, each.recorded_at) for each in facts] == [
        ("country", "DE", NOW),
        ("title", "Head", NOW),
    ]
    assert {each.actor for each in facts} == {actor}


def test_only_what_changed_is_logged_and_announced(
    announced: list[tuple[list[int], datetime]],
) -> None:
    lead = make_lead(country="DE", title="Head")
    actor = make_user()

    update_lead(lead_id=lead.pk, now=LATER, actor=actor, country="AT", title="Head")

    fact = LeadFact.objects.get(lead=lead)
    assert (fact.field, fact.value, fact.recorded_at, fact.actor) == ("country", "AT", LATER, actor)
    assert announced == [([lead.pk], LATER)]


def test_a_change_that_changes_nothing_is_silent(
    announced: list[tuple[list[int], datetime]],
) -> None:
    lead = make_lead(country="DE")

    update_lead(lead_id=lead.pk, now=LATER, country="de")

    assert announced == []
    assert not LeadFact.objects.exists()


def test_a_capture_is_announced(announced: list[tuple[list[int], datetime]]) -> None:
    lead = create_lead(now=NOW, first_name="Ines")

    assert announced == [([lead.pk], NOW)]


def test_a_second_lead_with_the_address_is_refused_and_names_the_first() -> None:
    first = make_lead(email="ines@kesterwald.example")

    with pytest.raises(DuplicateEmail) as refused:
        create_lead(now=NOW, email="INES@kesterwald.example")

    assert refused.value.lead_id == first.pk
    assert Lead.objects.count() == 1


def test_an_address_of_another_lead_cannot_be_taken_over() -> None:
    first = make_lead(email="ines@kesterwald.example")
    second = make_lead(email="other@kesterwald.example")

    with pytest.raises(DuplicateEmail) as refused:
        update_lead(lead_id=second.pk, now=NOW, email="ines@kesterwald.example")

    second.refresh_from_db()
    assert refused.value.lead_id == first.pk
    assert second.email == "other@kesterwald.example"


def test_many_leads_have_no_address() -> None:
    create_lead(now=NOW, email="")
    create_lead(now=NOW)

    assert Lead.objects.filter(email=None).count() == 2


def test_colleagues_share_the_company_of_their_domain() -> None:
    one = create_lead(now=NOW, email="a@kesterwald.example", company_name="Kesterwald Pumpen")
    two = create_lead(now=NOW, email="b@kesterwald.example", company_name="Kesterwald GmbH")

    company = Company.objects.get()
    assert (company.name, company.domain) == ("Kesterwald Pumpen", "kesterwald.example")
    assert one.company == two.company == company


def test_a_free_mailbox_is_matched_by_the_name_of_the_company() -> None:
    work = create_lead(now=NOW, email="a@kesterwald.example", company_name="Kesterwald Pumpen")
    private = create_lead(now=NOW, email="b@gmail.com", company_name="kesterwald pumpen")

    assert private.company == work.company


def test_a_free_mailbox_without_a_company_name_has_no_company() -> None:
    assert create_lead(now=NOW, email="b@gmail.com").company is None


def test_a_company_known_by_name_alone_is_made_once() -> None:
    create_lead(now=NOW, company_name="Kesterwald Pumpen")
    create_lead(now=NOW, company_name="KESTERWALD PUMPEN")

    assert Company.objects.count() == 1


def test_a_company_known_by_name_is_found_alike_one_by_one_and_in_bulk() -> None:
    names = ["Groß Pumpen", "GROSS PUMPEN", "groß pumpen", "Kesterwald"]
    one_by_one = [match_company(email=None, company_name=name, now=NOW) for name in names]

    in_bulk = match_companies(wanted=[(None, name) for name in names], now=NOW)

    assert in_bulk == [company.pk for company in one_by_one if company]
    assert len(set(in_bulk)) == 3


def test_companies_new_in_bulk_are_made_once_in_any_case() -> None:
    names = ["Groß Pumpen", "GROß PUMPEN", "Kesterwald", "KESTERWALD"]

    found = match_companies(wanted=[(None, name) for name in names], now=NOW)

    assert (found[0], found[2]) == (found[1], found[3])
    assert Company.objects.count() == 2


def test_a_new_address_moves_the_lead_to_its_company() -> None:
    lead = create_lead(now=NOW, email="a@kesterwald.example")

    changed = update_lead(lead_id=lead.pk, now=LATER, email="a@ossola.example")

    assert changed.company
    assert changed.company.domain == "ossola.example"


def test_many_are_captured_in_as_many_statements_as_one() -> None:
    def captures(*names: str) -> list[Capture]:
        return [
            Capture(NOW, "List", {"email": f"{name}@{name}.example", "country": "Germany"})
            for name in names
        ]

    with CaptureQueriesContext(connection) as one:
        create_leads(captures=captures("ada"), now=NOW)
    with CaptureQueriesContext(connection) as three:
        leads = create_leads(captures=captures("bo", "cy", "di"), now=NOW)

    assert len(one) == len(three)
    assert [lead.company.domain for lead in leads if lead.company] == [
        "bo.example", "cy.example", "di.example"
    ]  # fmt: skip
    assert StageInterval.objects.filter(lead__in=leads, rule="List").count() == 3
    assert LeadFact.objects.filter(lead__in=leads, field="country", value="DE").count() == 3


def test_of_many_nobody_is_captured_when_one_is_a_lead_already() -> None:
    known = make_lead(email="bo@example.com")
    captures = [Capture(NOW, "", {"email": f"{name}@example.com"}) for name in ("ada", "bo")]

    with pytest.raises(DuplicateEmail) as duplicate:
        create_leads(captures=captures, now=NOW)

    assert (duplicate.value.email, duplicate.value.lead_id) == (known.email, known.pk)
    assert list(Lead.objects.all()) == [known]


def test_what_does_not_fit_is_left_out() -> None:
    said = {"email": "ada@example.com", "country": "Atlantis", "city": "x" * 101, "title": " Head "}

    assert fitting_values(said) == {"email": "ada@example.com", "title": "Head"}
