"""Facts changed where they stand: what two people do at once, and the history of it all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.enums import AttributeType
from leads.history import history_of
from leads.models import Lead, LeadAttribute
from leads.services import ChangedMeanwhile, create_lead, update_lead
from tests.factories import NOW, client_of, make_lead, make_user
from tests.leads.posting import HTMX

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def mira() -> User:
    return make_user(Role.MARKETER, full_name="Mira Feldkamp")


@pytest.fixture
def web(mira: User) -> Client:
    return client_of(mira)


@pytest.fixture
def lead() -> Lead:
    LeadAttribute.objects.create(name="staff", label="Staff", type=AttributeType.NUMBER)
    LeadAttribute.objects.create(name="plant", label="Own plant", type=AttributeType.BOOLEAN)
    return create_lead(
        now=NOW,
        last_name="Kallweit",
        city="Esslingen",
        country="DE",
        attributes={"staff": 75, "plant": True},
    )


def _at(lead: Lead, name: str) -> str:
    return reverse("leads:fact", args=[lead.pk, name])


def _shown(web: Client, lead: Lead, name: str) -> dict[str, Any]:
    """Return the fields of a fact as a browser would send them back untouched."""
    form = web.get(_at(lead, name), headers=HTMX).context["form"]
    fields = {bound.html_name: bound.value() or "" for bound in form}
    return {**fields, **{f"initial-{field}": value for field, value in fields.items()}}


def _save(web: Client, lead: Lead, name: str, **fields: Any) -> Any:
    return web.post(_at(lead, name), {**_shown(web, lead, name), **fields}, headers=HTMX)


def test_a_fact_is_changed_in_its_place_and_the_focus_goes_back(web: Client, lead: Lead) -> None:
    answer = _save(web, lead, "title", title="Plant director")

    page = answer.content.decode()
    assert (answer.status_code, answer["HX-Retarget"]) == (200, "#facts")
    assert answer["HX-Trigger-After-Swap"] == "lead-changed"
    assert "Plant director" in page
    assert 'title="Change role" autofocus' in page
    assert Lead.objects.get().title == "Plant director"


def test_a_place_is_one_fact_of_three_fields(web: Client, lead: Lead) -> None:
    answer = _save(web, lead, "place", city="Bergen", country="NO")

    assert "Bergen, Norway" in answer.content.decode()


def test_what_is_wrong_stands_beside_the_field_with_what_was_typed(web: Client, lead: Lead) -> None:
    answer = _save(web, lead, "email", email="nobody")

    assert answer.status_code == 422
    assert 'value="nobody"' in answer.content.decode()


def test_the_last_name_of_a_lead_cannot_be_taken_away(web: Client) -> None:
    lead = make_lead(first_name="", last_name="", email="a@b.example")

    assert _save(web, lead, "email", email="").status_code == 422
    named = make_lead(last_name="Kallweit")
    assert _save(web, named, "email", email="").status_code == 200


def test_without_scripts_a_fact_leads_to_its_field_in_the_whole_form(
    web: Client, lead: Lead
) -> None:
    assert web.get(_at(lead, "place"))["Location"] == f"/leads/{lead.pk}/edit/#id_city"
    assert web.get(_at(lead, "stage"), headers=HTMX).status_code == 404
    assert web.get(_at(lead, "attribute_none"), headers=HTMX).status_code == 404


def test_missing_facts_are_offered(web: Client) -> None:
    lead = make_lead(phone="", title="Head")

    page = web.get(reverse("leads:detail", args=[lead.pk])).content.decode()

    assert 'aria-label="Change phone"' in page
    assert "fact-adds" in page


@pytest.mark.parametrize(
    ("name", "field", "theirs", "mine"),
    [
        ("title", "title", {"title": "Buyer"}, "Director"),
        ("place", "city", {"city": "Bergen"}, "Oslo"),
        ("attribute_staff", "attribute_staff", {"attributes": {"staff": "90"}}, "300"),
        ("attribute_plant", "attribute_plant", {"attributes": {"plant": "no"}}, ""),
    ],
)
def test_the_second_of_two_people_is_shown_the_difference_and_decides(
    web: Client, lead: Lead, name: str, field: str, theirs: dict[str, Any], mine: str
) -> None:
    fields = {**_shown(web, lead, name), field: mine}
    jonas = make_user(full_name="Jonas Weil")
    update_lead(lead_id=lead.pk, now=LATER, actor=jonas, **theirs)

    shown = web.post(_at(lead, name), fields, headers=HTMX)
    kept = Lead.objects.get()
    form = shown.context["form"]
    again = {bound.html_name: bound.value() or "" for bound in form} | {
        bound.html_initial_name: form.data[bound.html_initial_name] for bound in form
    }
    saved = web.post(_at(lead, name), again, headers=HTMX)

    assert shown.status_code == 422
    assert "Jonas Weil, " in shown.content.decode()
    assert "while you wrote" in shown.content.decode()
    assert again[field] == mine
    assert (kept.title, kept.city, kept.attributes) != (lead.title, lead.city, lead.attributes)
    assert saved.status_code == 200
    changes = [each.value for each in history_of(lead.pk)]
    assert len(changes) == 2


def test_the_whole_form_tells_of_a_conflict_too_and_writes_nothing(web: Client, lead: Lead) -> None:
    address = reverse("leads:edit", args=[lead.pk])
    form = web.get(address).context["form"]
    fields = {bound.html_name: bound.value() or "" for bound in form}
    seen = {f"initial-{name}": value for name, value in fields.items()}
    update_lead(lead_id=lead.pk, now=LATER, phone="+49 30 23125 418")

    mine = {"phone": "+49 40 1234567", "title": "Director"}
    answer = web.post(address, {**fields, **seen, **mine})

    assert answer.status_code == 422
    assert "Baton, " in answer.content.decode()
    assert (Lead.objects.get().phone, Lead.objects.get().title) == ("+493023125418", "")


def test_who_writes_the_same_or_another_fact_is_no_conflict(lead: Lead) -> None:
    update_lead(lead_id=lead.pk, now=LATER, city="Bergen", phone="+49 30 23125 418")

    seen = {"city": "Esslingen", "title": "", "phone": ""}
    update_lead(
        lead_id=lead.pk, now=LATER, seen=seen, city="Bergen", title="Head", phone="030 23125418"
    )
    with pytest.raises(ChangedMeanwhile) as conflict:
        update_lead(lead_id=lead.pk, now=LATER, seen=seen, city="Oslo")

    assert conflict.value.values == {"city": "Bergen"}


def test_the_history_says_when_who_from_what_to_what(web: Client, mira: User) -> None:
    lead = create_lead(now=NOW, last_name="Kallweit", city="Esslingen")
    update_lead(lead_id=lead.pk, now=LATER, actor=mira, last_name="Sommer", city="")
    update_lead(lead_id=lead.pk, now=LATER + timedelta(hours=1), country="NO")

    found = [(each.who, each.label, each.was, each.value) for each in history_of(lead.pk)]

    assert found == [
        ("Baton", "Country", "", "Norway"),
        ("Mira Feldkamp", "City", "Esslingen", ""),
        ("Mira Feldkamp", "Last name", "Kallweit", "Sommer"),
    ]
    page = web.get(reverse("leads:history", args=[lead.pk])).content.decode()
    assert "Mira Feldkamp" in page
    assert "Sommer" in page


def test_a_lead_without_changes_says_so(web: Client, lead: Lead) -> None:
    page = web.get(reverse("leads:history", args=[lead.pk])).content.decode()

    assert "Nothing was changed yet" in page
