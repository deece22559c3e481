"""The pages on which lists are kept, their columns chosen and their conditions edited."""

import json
from html import unescape
from typing import Any

import pytest
from django.test import Client

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.models import DefaultView, KeptView
from tests.factories import NOW, client_of, make_lead, make_user

pytestmark = pytest.mark.django_db
HTMX: Any = {"HTTP_HX_REQUEST": "true"}
ANY = {
    "any": [
        {"field": "country", "op": "in", "value": ["DE"]},
        {"field": "city", "op": "is", "value": "Oslo"},
    ]
}


@pytest.fixture
def marketer() -> User:
    return make_user(Role.MARKETER)


@pytest.fixture
def client(marketer: User) -> Client:
    return client_of(marketer)


def text(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


def kept_view(owner: User, **fields: Any) -> KeptView:
    said = {"name": "German", "sort": "name", "page_size": 25, "created_at": NOW, **fields}
    return KeptView.objects.create(owner=owner, **said)


def test_an_edited_list_is_kept_under_a_name_and_opened(client: Client) -> None:
    page = client.get("/leads/?view=all&f=country.in.DE")
    assert "View edited" in text(page)

    answer = client.post(
        "/leads/views/keep/", {"view": "all", "f": "country.in.DE", "name": "German"}
    )

    kept = KeptView.objects.get()
    assert answer["Location"] == f"/leads/?view={kept.pk}"
    opened = text(client.get(answer["Location"]))
    assert "German" in opened
    assert "View edited" not in opened


def test_a_form_that_arrives_twice_keeps_one_view(client: Client) -> None:
    said = {"view": "all", "name": "German"}

    client.post("/leads/views/keep/", said)
    again = client.post("/leads/views/keep/", said, follow=True)

    assert KeptView.objects.count() == 1
    assert "You have a view called “German” already." in text(again)


def test_a_name_that_is_refused_says_so_beside_its_field(client: Client) -> None:
    answer = client.post("/leads/views/keep/", {"view": "all", "name": " "}, **HTMX)

    assert answer.status_code == 422
    assert "The view needs a name." in text(answer)


def test_a_list_that_cannot_be_read_is_not_kept(client: Client) -> None:
    answer = client.post(
        "/leads/views/keep/", {"view": "all", "f": "shoe.is.44", "name": "A"}, **HTMX
    )

    assert answer.status_code == 422
    assert KeptView.objects.count() == 0


def test_a_kept_view_is_saved_over_from_the_list(client: Client, marketer: User) -> None:
    kept = kept_view(marketer)
    page = client.get(f"/leads/?view={kept.pk}&sort=created")
    assert f'action="/leads/views/{kept.pk}/save/"' in text(page)

    client.post(f"/leads/views/{kept.pk}/save/", {"view": str(kept.pk), "sort": "created"})

    kept.refresh_from_db()
    assert kept.sort == "created"


def test_a_shipped_view_can_only_be_saved_as_another(client: Client) -> None:
    page = text(client.get("/leads/?view=all&sort=created"))

    assert "/save/" not in page
    assert "/leads/keep/?view=all&sort=created" in page


@pytest.mark.parametrize("act", ["save", "rename", "delete"])
def test_somebody_elses_own_view_answers_as_if_there_were_none(client: Client, act: str) -> None:
    other = kept_view(make_user(Role.MANAGER))

    for view_id in (other.pk, other.pk + 1):
        answer = client.post(f"/leads/views/{view_id}/{act}/", {"view": "all", "name": "X"})
        assert answer.status_code == 404
    assert client.get(f"/leads/?view={other.pk}").status_code == 404
    assert KeptView.objects.get() == other


def test_views_are_listed_renamed_shared_and_deleted(client: Client, marketer: User) -> None:
    kept = kept_view(marketer)
    assert "German" in text(client.get("/leads/views/"))

    client.post(f"/leads/views/{kept.pk}/rename/", {"name": "Deutsch", "is_team": "on"})
    kept.refresh_from_db()
    assert (kept.name, kept.is_team) == ("Deutsch", True)

    client.post(f"/leads/views/{kept.pk}/delete/")
    assert not KeptView.objects.exists()
    assert 'value="Deutsch"' not in text(client.get("/leads/views/"))


def test_a_rep_is_told_that_the_views_of_the_team_are_not_theirs_to_write(marketer: User) -> None:
    kept = kept_view(marketer, is_team=True)
    rep = client_of(make_user(Role.REP))

    page = text(rep.get("/leads/views/"))
    answer = rep.post(f"/leads/views/{kept.pk}/delete/", follow=True)

    assert "German" in page
    assert "Change" not in page.split("Pinned ones stand first")[1]
    assert "kept by marketers and managers" in text(answer)
    assert KeptView.objects.exists()


def test_a_marketer_chooses_what_marketers_see_first(client: Client, marketer: User) -> None:
    kept = kept_view(marketer, is_team=True)

    client.post("/leads/views/first/", {"role": "MARKETER", "view": str(kept.pk)})
    assert DefaultView.objects.get().kept == kept
    assert "German · Leads" in text(client.get("/leads/"))

    refused = client.post("/leads/views/first/", {"role": "REP", "view": "all"}, follow=True)
    assert "not yours to choose" in text(refused)
    for odd in ({"role": "KING", "view": "all"}, {"role": "MARKETER", "view": "9" * 30}):
        assert client.post("/leads/views/first/", odd).status_code == 404


def test_columns_are_ordered_without_scripts(client: Client) -> None:
    make_lead(city="Oslo")

    page = text(
        client.get(
            "/leads/columns/?view=all&columns=company&columns=city&move=up:city", follow=True
        )
    )

    assert 'value="city" checked' in page
    assert page.index("City one place") < page.index("Company one place")
    assert page.index("> City </th>") < page.index('title="By company, A to Z"')


def test_conditions_are_edited_as_a_tree_and_say_how_many_fit(client: Client) -> None:
    make_lead(country="DE")
    make_lead(city="Oslo")
    make_lead()

    panel = client.get("/leads/conditions/", {"view": "all", "criteria": json.dumps(ANY)}, **HTMX)

    assert "2 leads fit" in text(panel)
    assert "Country is Germany: 1" in text(panel)
    assert "City is Oslo: 1" in text(panel)


def test_edited_conditions_lead_to_their_list(client: Client) -> None:
    answer = client.get(
        "/leads/conditions/", {"view": "all", "criteria": json.dumps(ANY), "show": "1"}
    )

    assert answer.status_code == 302
    listed = text(client.get(answer["Location"]))
    assert "Any of" in listed
    assert "Country is Germany or City is Oslo" in listed


def test_a_comparison_that_does_not_fit_has_to_be_mended_first(client: Client) -> None:
    said = {
        "view": "all", "criteria": "{}", "criteria_at": "+", "criteria_open": "cycle",
        "criteria_op": "is", "value": "two", "show": "1",
    }  # fmt: skip

    panel = client.get("/leads/conditions/", said, **HTMX)

    assert "Cycle needs a number" in text(panel)


@pytest.mark.parametrize("panel", ["conditions", "keep", "columns"])
def test_each_panel_opens_with_and_without_scripts(client: Client, panel: str) -> None:
    part = text(client.get(f"/leads/{panel}/?view=all&f=country.in.DE", **HTMX))
    page = text(client.get(f"/leads/{panel}/?view=all&f=country.in.DE", follow=True))

    assert "<html" not in part
    assert "filter-editor" in part
    assert "filter-editor" in page
    assert 'id="lead-list"' in page


def test_the_editor_of_conditions_opens_with_those_of_the_list(client: Client) -> None:
    panel = client.get("/leads/conditions/?view=all&f=country.in.DE&f=city.is.Oslo", **HTMX)

    assert "Country is Germany" in text(panel)
    assert "0 leads fit" in text(panel)
