from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from engagement.models import CaptureForm, FormVersion
from engagement.questions import Question, asked, read_questions
from leads.enums import AttributeType
from tests.engagement.content import make_asset
from tests.engagement.form_making import CONSENT, declare, make_form
from tests.engagement.form_pages import address_of, post
from tests.factories import client_of, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    return client_of(make_user(Role.MARKETER))


def sent(form: CaptureForm, **changes: Any) -> dict[str, Any]:
    """Return what the builder's page sends when nothing but ``changes`` was typed."""
    form.refresh_from_db()
    settings = {
        name: getattr(form, name) or ""
        for name in ("name", "slug", "title", "intro", "button", "consent_text", "consent_purpose",
                     "event_kind", "thank_you", "redirect_url")
    }  # fmt: skip
    questions = read_questions(form.questions)
    rows: dict[str, Any] = {"questions": [each.name for each in questions]}
    for each in questions:
        rows |= {f"q-{each.name}-label": each.label, f"q-{each.name}-help": each.help,
                 f"q-{each.name}-fixed": each.fixed}  # fmt: skip
        if each.is_required:
            rows[f"q-{each.name}-is_required"] = "on"
    return {**settings, **rows, "do": "save", **changes}


def build(desk: Client, form: CaptureForm, **changes: Any) -> Any:
    return desk.post(reverse("engagement:form_edit", args=[form.pk]), sent(form, **changes))


def names(form: CaptureForm) -> list[str]:
    form.refresh_from_db()
    return [each.name for each in read_questions(form.questions)]


def test_a_form_is_begun_with_the_usual_questions(desk: Client) -> None:
    answer = desk.post(reverse("engagement:form_create"), {"name": "Guide", "slug": "guide"})

    form = CaptureForm.objects.get()
    assert answer["Location"] == reverse("engagement:form_edit", args=[form.pk])
    assert (form.status, form.title, names(form)) == (
        "DRAFT", "Guide", ["email", "first_name", "last_name", "company_name"]
    )  # fmt: skip


def test_an_address_is_given_once(desk: Client) -> None:
    make_form(slug="guide")
    other = make_form(is_published=False)

    new = desk.post(reverse("engagement:form_create"), {"name": "Guide", "slug": "guide"})
    changed = build(desk, other, slug="guide")

    for answer in (new, changed):
        assert answer.status_code == 422
        assert "Another form has this address." in answer.content.decode()
    assert CaptureForm.objects.filter(slug="guide").count() == 1


def test_questions_are_added_moved_and_taken_out_by_buttons_alone(desk: Client) -> None:
    declare("budget", AttributeType.CHOICE, choices=["50,000"])
    form = make_form(is_published=False)

    build(desk, form, do="add", added="attr_budget")
    assert names(form)[-1] == "attr_budget"
    build(desk, form, do="up-5")
    assert names(form)[4:] == ["attr_budget", "country"]
    build(desk, form, do="down-0")
    assert names(form)[:2] == ["first_name", "email"]
    build(desk, form, do="remove-0")
    build(desk, form, do="remove-0")
    assert names(form) == ["email", "last_name", "company_name", "attr_budget", "country"]


@pytest.mark.parametrize("act", ["up-99", "up--1", "remove-x", "add", "drop table", "up-9999999"])
def test_an_act_that_is_none_only_saves(desk: Client, act: str) -> None:
    form = make_form(is_published=False)
    before = names(form)

    assert build(desk, form, do=act, added="password", title="New title").status_code == 302

    assert names(form) == before
    assert form.title == "New title"


def test_what_a_button_moves_is_kept_as_it_was_typed(desk: Client) -> None:
    form = make_form(is_published=False)

    build(desk, form, do="up-1", **{"q-first_name-label": "Given name",
                                    "q-first_name-is_required": "on"})  # fmt: skip

    form.refresh_from_db()
    first = read_questions(form.questions)[0]
    assert (first.name, first.label, first.is_required) == ("first_name", "Given name", True)


def test_a_fixed_value_has_to_be_one_that_a_lead_can_hold(desk: Client) -> None:
    form = make_form(is_published=False)

    refused = build(desk, form, **{"q-country-fixed": "Atlantis"})
    build(desk, form, **{"q-country-fixed": "DE"})

    assert refused.status_code == 422
    assert "is not a country" in refused.content.decode()
    form.refresh_from_db()
    assert "country" not in [each.name for each in asked(read_questions(form.questions))]


def test_publishing_makes_a_version_and_only_when_something_changed(desk: Client) -> None:
    form = make_form(is_published=False)

    for _ in range(2):
        build(desk, form, do="publish", consent_text=CONSENT)
    build(desk, form, do="save", title="Draft of the next")

    form.refresh_from_db()
    version = FormVersion.objects.get()
    assert (form.is_published, form.version, form.has_changes) == (True, version, True)
    assert (version.number, version.consent_text, version.title) == (1, CONSENT, form.name)
    build(desk, form, do="publish")
    form.refresh_from_db()
    assert form.version is not None
    assert (form.version.number, form.version.title) == (2, "Draft of the next")


def test_a_form_that_strangers_could_not_use_is_not_published(desk: Client) -> None:
    form = make_form(is_published=False)

    build(desk, form, do="publish", double_opt_in="on")
    page = desk.get(reverse("engagement:form_edit", args=[form.pk])).content.decode()

    form.refresh_from_db()
    assert form.status == "DRAFT"
    assert "Say what people agree to when they confirm" in page


def test_a_closed_form_can_be_opened_again(desk: Client) -> None:
    form = make_form()

    build(desk, form, do="archive")
    assert Client().get(address_of(form)).status_code == 410
    build(desk, form, do="publish")
    assert Client().get(address_of(form)).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["javascript:alert(1)", "https://a.example/path", "*", "https://a.example; script-src *",
     "https://a.example;script-src", "https://*.example", "'self'", "ftp://a.example", "https://"],
)  # fmt: skip
def test_only_a_site_gets_into_the_policy(desk: Client, origin: str) -> None:
    form = make_form()

    answer = build(desk, form, embed_origins=origin)

    assert answer.status_code == 422
    form.refresh_from_db()
    assert form.embed_origins == []


def test_sites_are_kept_as_a_policy_names_them(desk: Client) -> None:
    form = make_form()
    build(desk, form, embed_origins="https://WWW.Halvorn.example:443/\nhttp://localhost:8001\n")
    form.refresh_from_db()
    assert form.embed_origins == ["https://www.halvorn.example", "http://localhost:8001"]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//evil.example\\@x", "http://"])
def test_a_form_leads_to_the_web_only(desk: Client, address: str) -> None:
    form = make_form()
    assert build(desk, form, redirect_url=address).status_code == 422


def test_the_preview_shows_what_is_typed_and_keeps_nothing(desk: Client) -> None:
    form = make_form(is_published=False)

    page = desk.post(
        reverse("engagement:form_preview", args=[form.pk]),
        sent(form, title="<b>Typed", **{"q-first_name-label": "Given name"}),
    ).content.decode()

    assert "&lt;b&gt;Typed" in page
    assert "Given name" in page
    form.refresh_from_db()
    assert form.title != "<b>Typed"


def test_the_page_shows_where_the_form_is_and_how_to_embed_it(desk: Client) -> None:
    form = make_form(embed_origins=["https://www.halvorn.example"])
    page = desk.get(reverse("engagement:form_edit", args=[form.pk])).content.decode()
    assert f"{address_of(form)}?embed=1" in page


def test_a_frame_is_as_high_as_what_is_asked_in_it(desk: Client) -> None:
    mail, place = Question("email", "Work e-mail"), Question("country", "Country", fixed="DE")
    short = make_form(mail, place, embed_origins=["https://www.halvorn.example"])
    helped = make_form(Question("email", "Work e-mail", help="We write once."))
    long = make_form(mail, Question("phone", "Phone"), consent_text="Yes, write to me.")

    page = desk.get(f"/content/forms/{short.pk}/").content.decode()

    assert [each.frame_height for each in (short, helped, long)] == [388, 410, 546]
    assert 'height="388"' in page


def test_the_list_counts_what_was_sent_with_each(desk: Client) -> None:
    form = make_form(asset=make_asset(name="First plan"))
    make_form(is_published=False)
    post(form)
    post(form, fax="x")

    answer = desk.get(reverse("engagement:forms"))

    counted = {each.pk: (each.accepted, each.waiting, each.refused, each.lead_count)
               for each in answer.context["forms"]}  # fmt: skip
    assert counted[form.pk] == (1, 0, 1, 1)
    assert "First plan" in answer.content.decode()


def test_the_list_costs_the_same_for_one_form_and_for_three(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        post(make_form(asset=make_asset()))
    with django_assert_max_num_queries(8):
        desk.get(reverse("engagement:forms"))
