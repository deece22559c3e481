from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from engagement.models import CaptureForm, Event, Submission
from leads.models import Lead
from tests.engagement.form_making import make_form, send
from tests.factories import client_of, make_lead, make_user

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def desk() -> Client:
    return client_of(make_user(Role.MARKETER))


def listed(desk: Client, form: CaptureForm, state: str = "") -> str:
    address = reverse("engagement:submissions", args=[form.pk])
    return desk.get(address, {"state": state}).content.decode()


def press_not_spam(desk: Client, submission: Submission) -> Any:
    return desk.post(reverse("engagement:submission_accept", args=[submission.pk]))


def test_each_submission_is_under_what_became_of_it(desk: Client) -> None:
    form = make_form()
    send(form, email="good@x.example")
    send(form, email="bad@x.example", arrival={"trap": "x"})

    accepted, refused = listed(desk, form), listed(desk, form, "REFUSED")

    assert ("good@x.example" in accepted, "bad@x.example" in accepted) == (True, False)
    assert "Filled in a field that people cannot see" in refused
    assert "Not spam" in refused
    assert "good@x.example" in listed(desk, form, "NONSENSE")


def test_not_spam_makes_the_lead_and_twice_makes_one(desk: Client) -> None:
    form = make_form()
    refused = send(form, arrival={"trap": "x"})

    for _ in range(2):
        assert press_not_spam(desk, refused).status_code == 302

    assert (Lead.objects.count(), Event.objects.count()) == (1, 1)
    assert "accepted by" in listed(desk, form)


def test_what_contradicts_what_was_known_is_shown_there_and_on_the_timeline(desk: Client) -> None:
    lead = make_lead(email="ines@kesterwald.example", company_name="Kesterwald Pumpen")
    form = make_form()
    send(form, company_name=SCRIPT, country="AT")

    page = listed(desk, form)
    timeline = desk.get(reverse("leads:detail", args=[lead.pk])).content.decode()

    assert "Company: known as Kesterwald Pumpen" in page
    assert "Country <b>Austria</b>" in page
    assert "Said otherwise: Company &lt;script&gt;alert(1)&lt;/script&gt;" in timeline
    assert SCRIPT not in page + timeline


def test_what_strangers_wrote_is_text(desk: Client) -> None:
    form = make_form()
    for arrival in ({}, {"trap": "x"}):
        send(form, first_name=SCRIPT, company_name=SCRIPT, arrival={
            **arrival, "page_url": f"https://x.example/{SCRIPT}", "touch": {"source": SCRIPT}
        })  # fmt: skip

    assert SCRIPT not in listed(desk, form) + listed(desk, form, "REFUSED")
    assert "&lt;script&gt;" in listed(desk, form)


def test_the_file_holds_the_rows_of_the_tab_and_runs_no_formula(desk: Client) -> None:
    form = make_form()
    send(form, first_name="=1+1", company_name="Kesterwald")
    send(form, email="bad@x.example", arrival={"trap": "x"})

    answer = desk.get(reverse("engagement:submissions_export", args=[form.pk]))
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]

    assert len(lines) == 2
    assert lines[0].startswith("Received,State,Reason,Lead,Page,Version,Consent,First name")
    assert "'=1+1" in lines[1]
    assert "bad@x.example" not in lines[1]


def test_what_was_not_kept_is_told(desk: Client) -> None:
    form = make_form(unkept=3, unkept_at="2026-05-12T09:00Z")
    assert "3 refused submissions beyond 500 an hour" in " ".join(listed(desk, form).split())


def test_the_list_costs_the_same_for_one_submission_and_for_many(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    form = make_form()
    for number in range(5):
        send(form, email=f"n{number}@x.example")
    with django_assert_max_num_queries(10):
        listed(desk, form)
