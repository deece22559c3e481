from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from engagement.models import CaptureForm, Submission
from engagement.questions import Question
from engagement.services.forms import archive_form, publish_form, save_form
from engagement.suspicion import LONGEST
from leads.enums import AttributeType
from leads.models import Lead
from tests.engagement.form_making import CONSENT, QUESTIONS, declare, make_form, version_of
from tests.engagement.form_pages import address_of, hidden_fields, post, token_for

pytestmark = pytest.mark.django_db


def page_of(form: CaptureForm, query: str = "", **headers: str) -> str:
    return Client().get(address_of(form) + query, headers=headers).content.decode()


def test_a_stranger_fills_in_a_form_and_is_thanked_at_an_address_of_its_own() -> None:
    form = make_form(thank_you="See https://www.halvorn.example/next for more.")

    answer = post(form, first_name="Ines")
    thanks = Client().get(answer["Location"])

    assert answer.status_code == 303
    assert Lead.objects.get().first_name == "Ines"
    assert '<a href="https://www.halvorn.example/next"' in thanks.content.decode()
    assert not answer.cookies
    assert not thanks.cookies


def test_the_page_asks_what_was_published_and_no_cookie_is_set() -> None:
    declare("budget", AttributeType.CHOICE, choices=["None", "50,000"])
    form = make_form(
        *QUESTIONS,
        Question("attr_budget", "Budget", help="A guess will do", is_required=True),
        Question("campaign", "Campaign", fixed="Spring"),
    )
    save_form(form_id=form.pk, questions=QUESTIONS[:1], title="Not yet published")

    answer = Client().get(address_of(form))
    page = answer.content.decode()

    assert 'name="attr_budget"' in page
    assert "A guess will do" in page
    assert 'autocomplete="email"' in page
    assert 'name="campaign"' not in page
    assert "Not yet published" not in page
    assert not answer.cookies
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")


def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays() -> None:
    form = make_form(*QUESTIONS, Question("phone", "Phone"), Question("website", "Website"))

    answer = post(
        form, email="ines@", first_name="<b>Ines", phone="call me", website="javascript:alert(1)"
    )
    page = answer.content.decode()

    assert answer.status_code == 422
    assert "&#x27;ines@&#x27; is not an e-mail address" in page or "valid email" in page
    assert "Write a number to dial" in page
    assert "is not the address of a website" in page
    assert 'value="&lt;b&gt;Ines"' in page
    assert not Submission.objects.exists()


def test_a_page_with_mistakes_keeps_its_token_so_that_it_is_one_sending() -> None:
    form = make_form()
    token = token_for(form)

    page = post(form, token=token, email="").content.decode()
    for _ in range(2):
        post(form, token=hidden_fields(page)["token"])

    assert Submission.objects.count() == 1


@pytest.mark.parametrize("token", ["", "x", "old", "of another form"])
def test_a_page_that_is_too_old_is_made_anew_with_what_was_typed(token: str) -> None:
    form = make_form()
    made = {"old": token_for(form, age=LONGEST + timedelta(minutes=1)),
            "of another form": token_for(make_form())}  # fmt: skip

    answer = post(form, token=made.get(token, token), first_name="Ines")
    page = answer.content.decode()
    again = post(form, token=hidden_fields(page)["token"])

    assert answer.status_code == 422
    assert "Nothing is sent yet: please press the button again." in page
    assert 'value="Ines"' in page
    assert again.status_code == 303
    assert Submission.objects.get().state == "ACCEPTED"


def test_a_version_that_was_shown_is_taken_after_another_was_published() -> None:
    form = make_form(consent_text=CONSENT)
    token = token_for(form)
    shown = version_of(form)
    save_form(form_id=form.pk, consent_text="Other words")
    publish_form(form_id=form.pk, actor=None, now=timezone.now())

    post(form, token=token, consent="on")

    assert Submission.objects.get().version == shown
    assert Lead.objects.get().consents.get().text == CONSENT


@pytest.mark.parametrize(
    ("age", "trap", "reason"),
    [(timedelta(seconds=20), "x", "TRAP"), (timedelta(seconds=-60), "", "TOO_FAST")],
)
def test_a_robot_sees_the_page_that_people_see(age: timedelta, trap: str, reason: str) -> None:
    form = make_form()

    thanked = Client().get(post(form, email="otto@x.example")["Location"]).content
    fooled = Client().get(post(form, token=token_for(form, age=age), fax=trap)["Location"]).content

    assert fooled == thanked
    assert Submission.objects.get(state="REFUSED").reason == reason


def test_consent_must_be_given_where_the_form_needs_it() -> None:
    form = make_form(consent_text=CONSENT, needs_consent=True)

    refused, taken = post(form), post(form, consent="on")

    assert (refused.status_code, taken.status_code) == (422, 303)
    assert Lead.objects.get().consents.get().is_granted


def test_only_fields_that_the_form_declares_are_read() -> None:
    post(make_form(), stage="WON", owner="1", attr_x="y", campaign="mine", title="Boss")

    assert Submission.objects.get().answers == {
        "email": "ines@kesterwald.example", "first_name": "", "last_name": "", "company_name": "",
        "country": "",
    }  # fmt: skip


def test_where_the_person_came_from_is_read_from_the_address_of_the_page() -> None:
    form = make_form()
    query = "?utm_source=linkedin&utm_medium=paid_social&utm_campaign=May&baton_id=browser-1"
    hidden = hidden_fields(page_of(form, query, referer="https://www.linkedin.com/feed/?secret=1"))

    said: dict[str, Any] = {**hidden, "token": token_for(form)}
    post(form, query=query, **said)

    kept, lead = Submission.objects.get(), Lead.objects.get()
    assert (lead.source, lead.medium, lead.campaign) == ("linkedin", "paid_social", "May")
    assert kept.anonymous_id == "browser-1"
    assert kept.page_url == f"http://testserver{address_of(form)}{query}"
    assert kept.touch["referrer"] == "linkedin.com/feed/"
    assert lead.visitors.get().name == "browser-1"


def test_nothing_personal_is_filled_in_from_the_address() -> None:
    page = page_of(make_form(), "?email=otto@x.example&first_name=Otto&baton_id=b1&token=t")

    assert 'id="id_email"' in page
    assert "Otto" not in page.replace("otto%40", "").split("<form", 1)[1].split("hidden", 1)[0]
    assert 'value="otto@x.example"' not in page
    assert hidden_fields(page)["baton_id"] == "b1"


def test_a_page_in_a_frame_is_told_by_its_parent() -> None:
    form = make_form(embed_origins=["https://www.halvorn.example"])

    hidden = hidden_fields(page_of(form, "?embed=1", referer="https://www.halvorn.example/guides/"))
    named = hidden_fields(page_of(form, "?embed=1&page=https://www.halvorn.example/g%3Fa%3D1"))

    assert hidden["page"] == "https://www.halvorn.example/guides/"
    assert named["page"] == "https://www.halvorn.example/g?a=1"


@pytest.mark.parametrize("page", ["javascript:alert(1)", "data:text/html,x", "\0", "x" * 9000])
def test_a_page_that_is_no_address_of_the_web_is_not_kept(page: str) -> None:
    post(make_form(), page=page, referrer=page, baton_id=page)

    kept = Submission.objects.get()
    assert (kept.page_url, kept.touch) == ("", {})
    assert len(kept.anonymous_id) <= 200


def test_only_sites_that_the_form_names_may_frame_it() -> None:
    closed, open_one = make_form(), make_form(embed_origins=["https://www.halvorn.example"])

    shut, framed = (Client().get(address_of(form)) for form in (closed, open_one))

    assert shut["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in shut["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed
    assert "frame-ancestors 'self' https://www.halvorn.example" in framed["Content-Security-Policy"]


def test_a_form_may_lead_away_after_it_was_sent() -> None:
    form = make_form(redirect_url="https://www.halvorn.example/thanks?x=1")

    answer, page = post(form), Client().get(address_of(form))

    assert (answer.status_code, answer["Location"]) == (303, form.redirect_url)
    assert "form-action 'self' https://www.halvorn.example" in page["Content-Security-Policy"]


def test_in_a_frame_the_way_on_is_a_link_that_leaves_the_frame() -> None:
    form = make_form(redirect_url="https://www.halvorn.example/thanks")

    before = page_of(form, "?embed=1")
    answer = post(form, query="?embed=1")
    page = Client().get(answer["Location"]).content.decode()

    assert [each.count("is-embedded") for each in (page_of(form), before, page)] == [0, 1, 1]
    assert ['data-bs-theme="light"' in each for each in (page_of(form), before)] == [False, True]
    assert answer["Location"].endswith("/?embed=1")
    assert 'href="https://www.halvorn.example/thanks" target="_top"' in page


def test_a_closed_form_says_so_and_a_draft_is_not_there() -> None:
    form, draft = make_form(), make_form(is_published=False)
    archive_form(form_id=form.pk)

    assert Client().get(address_of(form)).status_code == 410
    assert post(form).status_code == 410
    assert Client().get(address_of(draft)).status_code == 404
    assert not Submission.objects.exists()


def test_a_body_beyond_any_form_is_refused_before_it_is_read() -> None:
    form = make_form()

    answer = post(form, first_name="x" * 70_000)

    assert answer.status_code == 413
    assert not Submission.objects.exists()


def test_the_same_page_sent_twice_is_thanked_twice_and_counted_once() -> None:
    form = make_form()
    token = token_for(form)

    assert [post(form, token=token).status_code for _ in range(3)] == [303] * 3

    assert (Submission.objects.count(), Lead.objects.count()) == (1, 1)
