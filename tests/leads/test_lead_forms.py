"""The forms that change a lead: what is written, what is refused, and that nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.enums import AttributeType
from leads.models import Lead, LeadAttribute, Note
from tests.factories import client_of, make_lead, make_user
from tests.leads.posting import BROKEN, HTMX, raw

pytestmark = pytest.mark.django_db


@pytest.fixture
def attributes() -> None:
    for name, kind, choices in (
        ("shifts", AttributeType.NUMBER, []),
        ("certified", AttributeType.BOOLEAN, []),
        ("renewal", AttributeType.DATE, []),
        ("plant", AttributeType.CHOICE, ["Pumps", "Valves"]),
        ("remark", AttributeType.TEXT, []),
    ):
        LeadAttribute.objects.create(name=name, label=name.title(), type=kind, choices=choices)


def opened(lead: Lead, web: Client) -> dict[str, Any]:
    """Return the fields of the edit page as a browser would send them back untouched."""
    form = web.get(reverse("leads:edit", args=[lead.pk])).context["form"]
    fields = {bound.html_name: bound.value() or "" for bound in form}
    return {**fields, **{f"initial-{name}": value for name, value in fields.items()}}


def edit(web: Client, lead: Lead, data: Any, **options: Any) -> Any:
    return web.post(reverse("leads:edit", args=[lead.pk]), data, **options)


def errors(answer: Any) -> dict[str, list[str]]:
    return {name: list(problems) for name, problems in answer.context["form"].errors.items()}


def test_a_lead_is_captured_with_typed_attributes(web: Client, attributes: None) -> None:
    answer = web.post(
        reverse("leads:create"),
        {
            "last_name": "Kallweit",
            "email": " I.Kallweit@Kesterwald.Example ",
            "phone": "030 23125 418",
            "country": "DE",
            "source": "Paid Search",
            "attribute_shifts": "3",
            "attribute_certified": "yes",
            "attribute_renewal": "2026-05-31",
            "attribute_plant": "Pumps",
        },
    )

    lead = Lead.objects.get()
    assert answer["Location"] == reverse("leads:detail", args=[lead.pk])
    assert (lead.email, lead.phone, lead.source) == (
        "i.kallweit@kesterwald.example",
        "+493023125418",
        "paid_search",
    )
    assert lead.attributes == {
        "shifts": 3,
        "certified": True,
        "renewal": "2026-05-31",
        "plant": "Pumps",
    }


def test_a_lead_without_anything_to_call_it_by_is_refused(web: Client) -> None:
    answer = web.post(reverse("leads:create"), {"country": "DE"})

    assert answer.status_code == 422
    assert errors(answer) == {
        "__all__": ["Say at least a name, an e-mail address or a phone number."]
    }
    assert not Lead.objects.exists()


def test_only_what_was_changed_is_written(web: Client, attributes: None) -> None:
    lead = make_lead(attributes={"shifts": 3, "plant": "Pumps", "certified": False})

    edit(web, lead, {**opened(lead, web), "title": "CTO", "attribute_shifts": ""})

    lead.refresh_from_db()
    assert lead.title == "CTO"
    assert lead.attributes == {"plant": "Pumps", "certified": False}
    assert sorted(lead.facts.values_list("field", flat=True)) == ["attributes", "title"]


def test_a_page_left_open_overwrites_nothing_that_changed_meanwhile(web: Client) -> None:
    lead = make_lead(title="Buyer", city="Esslingen")
    left_open = opened(lead, web)
    edit(web, lead, {**left_open, "title": "Head of purchasing"})

    edit(web, lead, {**left_open, "city": "Stuttgart"})

    lead.refresh_from_db()
    assert (lead.title, lead.city) == ("Head of purchasing", "Stuttgart")


def test_a_national_number_is_read_by_the_country_that_is_known(web: Client) -> None:
    lead = make_lead(country="DE")

    edit(web, lead, {**opened(lead, web), "phone": "030 23125 418"})

    lead.refresh_from_db()
    assert lead.phone == "+493023125418"


def test_a_phone_number_that_cannot_be_dialled_is_refused_at_its_field(web: Client) -> None:
    answer = web.post(reverse("leads:create"), {"last_name": "Kallweit", "phone": "12ab"})

    assert answer.status_code == 422
    assert errors(answer) == {"phone": ["Write a number to dial, such as +49 30 23125418."]}
    assert not Lead.objects.exists()


def test_a_phone_number_of_an_import_stays_while_other_things_are_edited(web: Client) -> None:
    lead = make_lead(phone="ask for Tom")

    edit(web, lead, {**opened(lead, web), "city": "Bergen"})

    lead.refresh_from_db()
    assert (lead.phone, lead.city) == ("ask for Tom", "Bergen")


def test_a_rep_corrects_a_lead_they_hold() -> None:
    rep = make_user(Role.REP)
    lead = make_lead(owner=rep)
    web = client_of(rep)

    edit(web, lead, {**opened(lead, web), "title": "CTO"})

    lead.refresh_from_db()
    assert lead.title == "CTO"


def test_an_address_that_is_taken_names_its_lead_with_a_link(web: Client) -> None:
    other = make_lead(email="taken@b.example", last_name="<b>Kallweit")
    lead = make_lead()

    answer = edit(web, lead, {**opened(lead, web), "email": "Taken@b.example", "title": "CTO"})

    url = reverse("leads:detail", args=[other.pk])
    assert answer.status_code == 422
    assert errors(answer) == {
        "email": [f'<a href="{url}">Ines &lt;b&gt;Kallweit</a> has this address.']
    }
    assert f'<a href="{url}">Ines &lt;b&gt;Kallweit</a>' in answer.content.decode()
    assert 'value="CTO"' in answer.content.decode()


def test_an_address_of_a_lead_out_of_sight_is_refused_without_its_name() -> None:
    rep = make_user(Role.REP)
    make_lead(email="taken@b.example", last_name="Secret")
    lead = make_lead(owner=rep)
    web = client_of(rep)

    answer = edit(web, lead, {**opened(lead, web), "email": "taken@b.example"})

    assert errors(answer) == {"email": ["Another lead has this address."]}
    assert "Secret" not in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("email", "no address", "'no address' is not an e-mail address."),
        (
            "website",
            "javascript:alert(1)",
            "'javascript:alert(1)' is not the address of a website.",
        ),
        ("attribute_shifts", "many", "Enter a number."),
        ("attribute_shifts", "1e400", "'1E+400' is not a number."),
        ("attribute_shifts", "1e1000000", "'1E+1000000' is not a number."),
        ("attribute_renewal", "soon", "Enter a valid date."),
    ],
)
def test_values_that_do_not_fit_are_told_beside_their_field(
    web: Client, attributes: None, field: str, text: str, sentence: str
) -> None:
    lead = make_lead()

    answer = edit(web, lead, {**opened(lead, web), field: text, "title": "CTO"}, headers=HTMX)

    assert answer.status_code == 422
    assert errors(answer) == {field: [sentence]}
    assert b"<html" not in answer.content
    assert 'value="CTO"' in answer.content.decode()


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_no_text_breaks_any_field(web: Client, attributes: None, text: str) -> None:
    lead = make_lead()
    fields = opened(lead, web)

    for name in list(web.get(reverse("leads:create")).context["form"].fields):
        changed = edit(web, lead, **raw({**fields, name: text}))
        captured = web.post(reverse("leads:create"), **raw({name: text}))
        assert {changed.status_code, captured.status_code} <= {302, 422}


def test_htmx_is_told_to_open_the_page_of_what_was_saved(web: Client) -> None:
    lead = make_lead()

    answer = edit(web, lead, {**opened(lead, web), "title": "CTO"}, headers=HTMX)

    assert answer["HX-Redirect"] == reverse("leads:detail", args=[lead.pk])


def note(web: Client, lead: Lead, text: Any, **options: Any) -> Any:
    return web.post(reverse("leads:note", args=[lead.pk]), {"text": text}, **options)


def test_a_note_is_kept_and_shown_at_once(web: Client, marketer: User) -> None:
    lead = make_lead()

    plain = note(web, lead, "Called twice")
    swapped = note(web, lead, "Wants a demo", headers=HTMX)

    assert plain["Location"] == reverse("leads:detail", args=[lead.pk])
    assert list(Note.objects.order_by("id").values_list("text", "author")) == [
        ("Called twice", marketer.pk),
        ("Wants a demo", marketer.pk),
    ]
    content = swapped.content.decode()
    assert 'hx-swap-oob="true"' in content
    assert "Wants a demo" in content
    assert "<html" not in content


@pytest.mark.parametrize(
    "text", ["", "   ", "a\x00b", "x" * 5001], ids=["", "blank", "nul", "long"]
)
def test_a_note_that_is_none_is_refused_and_kept_in_the_field(web: Client, text: str) -> None:
    lead = make_lead()

    plain, swapped = note(web, lead, text), note(web, lead, text, headers=HTMX)

    assert (plain.status_code, swapped.status_code) == (422, 422)
    assert b"<html" in plain.content
    assert b"<html" not in swapped.content
    assert not Note.objects.exists()


def test_a_note_on_a_lead_out_of_sight_is_not_found() -> None:
    answer = note(client_of(make_user(Role.REP)), make_lead(), "Hello")

    assert answer.status_code == 404
    assert not Note.objects.exists()


@pytest.mark.parametrize("name", ["create", "edit", "stage"])
def test_forms_are_shown_without_errors(web: Client, attributes: None, name: str) -> None:
    arguments = [] if name == "create" else [make_lead().pk]

    answer = web.get(reverse(f"leads:{name}", args=arguments))

    assert answer.status_code == 200
    assert b"error-summary" not in answer.content
