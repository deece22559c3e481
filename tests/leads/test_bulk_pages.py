"""The pages of what is done to many leads."""

from html import unescape
from typing import Any

import pytest
from django.test import Client

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.models import BulkJob, Lead
from tests.factories import client_of, make_lead, make_user
from tests.leads.bulk import order, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def marketer() -> User:
    return make_user(Role.MARKETER)


@pytest.fixture
def client(marketer: User) -> Client:
    return client_of(marketer)


def text(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


def test_the_list_offers_what_can_be_done_to_many(client: Client) -> None:
    make_lead()

    page = text(client.get("/leads/?view=all"))

    for act in ("assign", "tag", "stage"):
        assert f'formaction="/leads/bulk/{act}/"' in page


def test_a_rep_is_offered_the_export_alone() -> None:
    rep = make_user(Role.REP)
    make_lead(owner=rep)

    page = text(client_of(rep).get("/leads/?view=all"))

    assert "formaction" not in page
    assert "Export" in page


def test_an_act_asks_what_it_has_to_know_of_the_ticked_leads(client: Client) -> None:
    lead = make_lead()

    page = text(client.get(f"/leads/bulk/tag/?view=all&scope=chosen&ids={lead.pk}"))

    assert "1 chosen lead" in page
    assert f'name="ids" value="{lead.pk}"' in page


def test_an_act_on_all_says_how_many_that_are(client: Client) -> None:
    make_lead(country="DE")
    make_lead()

    page = text(client.get("/leads/bulk/tag/?view=all&f=country.in.DE&scope=all"))

    assert "All 1 lead of “All leads”, edited" in page


def test_an_act_is_ordered_once_however_often_the_form_arrives(client: Client) -> None:
    lead = make_lead()
    said = {
        "view": "all", "scope": "chosen", "ids": [lead.pk], "way": "add", "tag": " Fair ",
        "form_token": "abc",
    }  # fmt: skip

    first = client.post("/leads/bulk/tag/", said)
    second = client.post("/leads/bulk/tag/", said)

    job = BulkJob.objects.get()
    assert first["Location"] == second["Location"] == f"/leads/bulk/{job.pk}/"
    assert (job.said, job.words) == ({"way": "add", "tag": "Fair"}, "Add the tag “Fair”")
    assert job.lead_ids == [lead.pk]


def test_a_form_that_says_too_little_comes_back_with_the_leads(client: Client) -> None:
    lead = make_lead()

    answer = client.post(
        "/leads/bulk/stage/",
        {"view": "all", "ids": [lead.pk], "to_stage": "RECYCLED", "reason": "Later"},
    )

    assert answer.status_code == 422
    assert "Recycled leads need a day" in text(answer)
    assert f'name="ids" value="{lead.pk}"' in text(answer)
    assert not BulkJob.objects.exists()


@pytest.mark.parametrize(
    ("query", "said"),
    [("view=all", "No lead is ticked."), ("view=all&f=shoe.is.44&scope=all", "no field 'shoe'")],
)
def test_what_cannot_be_acted_on_leads_back_to_the_list(
    client: Client, query: str, said: str
) -> None:
    assert said in text(client.get(f"/leads/bulk/tag/?{query}", follow=True))


def test_an_act_that_nobody_knows_is_not_found(client: Client) -> None:
    assert client.get("/leads/bulk/dance/?scope=all&view=all").status_code == 404


@pytest.mark.parametrize("seen", ["", "soon", "2026-05-12T09:00:00", "9999-01-01T00:00:00+00:00"])
def test_an_odd_time_of_seeing_is_now(client: Client, seen: str) -> None:
    make_lead()

    client.post(
        "/leads/bulk/tag/",
        {"view": "all", "scope": "all", "way": "add", "tag": "Fair", "seen_at": seen},
    )

    job = BulkJob.objects.get()
    assert job.seen_at == job.created_at


def test_the_page_of_a_job_shows_how_far_it_is_and_what_became_of_each(
    client: Client, marketer: User
) -> None:
    make_lead(first_name="Ines", last_name="Kallweit")
    job = order(marketer)
    assert 'hx-trigger="every 1s"' in text(client.get(f"/leads/bulk/{job.pk}/"))

    work_off(job)

    page = text(client.get(f"/leads/bulk/{job.pk}/"))
    assert "every 1s" not in page
    assert "Undo" in page
    assert "Ines Kallweit" in text(client.get(f"/leads/bulk/{job.pk}/rows/DONE/"))
    assert "None ended like this" in text(client.get(f"/leads/bulk/{job.pk}/rows/REFUSED/"))
    assert client.get(f"/leads/bulk/{job.pk}/rows/EATEN/").status_code == 404
    file: Any = client.get(f"/leads/bulk/{job.pk}/result.csv")
    result = b"".join(file).decode()
    assert result.splitlines()[1].endswith(",Done,")
    assert "Tag" in text(client.get("/leads/bulk/"))


def test_a_job_is_stopped_resumed_and_undone(client: Client, marketer: User) -> None:
    make_lead()
    job = order(marketer)

    client.post(f"/leads/bulk/{job.pk}/stop/")
    assert "Stopped by" in text(client.get(f"/leads/bulk/{job.pk}/"))
    client.post(f"/leads/bulk/{job.pk}/resume/")
    work_off(job)
    answer = client.post(f"/leads/bulk/{job.pk}/undo/")

    undoing = BulkJob.objects.get(undoes=job)
    assert answer["Location"] == f"/leads/bulk/{undoing.pk}/"
    work_off(undoing)
    assert Lead.objects.get().tags == []
    assert "It was undone" in text(client.get(f"/leads/bulk/{job.pk}/"))
    refused = client.post(f"/leads/bulk/{undoing.pk}/undo/", follow=True)
    assert "took something back already" in text(refused)


def test_what_a_colleague_ordered_is_a_managers_to_see_and_nobody_elses(client: Client) -> None:
    job = order(make_user(Role.MARKETER))

    assert client.get(f"/leads/bulk/{job.pk}/").status_code == 404
    manager = client_of(make_user(Role.MANAGER))
    assert manager.get(f"/leads/bulk/{job.pk}/").status_code == 200
