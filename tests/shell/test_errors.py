from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.views import defaults

from tests.factories import client_of, make_user


@pytest.mark.parametrize(
    ("view", "status", "words"),
    [(defaults.server_error, 500, b"our side"), (defaults.bad_request, 400, b"understood")],
)
def test_the_gravest_errors_are_shown_without_database_or_session(
    view: object, status: int, words: bytes
) -> None:
    arguments = (RequestFactory().get("/"), ValueError())[: 1 if status == 500 else 2]

    answer = view(*arguments)  # type: ignore[operator]

    assert answer.status_code == status
    assert words in answer.content
    assert b"<html" in answer.content


@pytest.mark.django_db
def test_a_page_that_does_not_exist_says_so_to_strangers_and_people(client: Client) -> None:
    stranger = client.get("/no/such/page/")
    person = client_of(make_user()).get("/no/such/page/")

    assert (stranger.status_code, person.status_code) == (404, 404)
    assert b"not yours to see" in stranger.content


@pytest.mark.django_db
def test_a_form_without_its_token_changes_nothing_and_says_why() -> None:
    user = make_user(theme="LIGHT")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="crm.common.sessions.LoginBackend")

    answer = client.post("/preferences/theme/", {"theme": "dark"})

    user.refresh_from_db()
    assert (answer.status_code, user.theme) == (403, "LIGHT")
    assert b"Load the page again" in answer.content


def test_crawlers_are_asked_to_stay_away(client: Client) -> None:
    answer = client.get("/robots.txt")

    assert (answer["Content-Type"], answer.content) == (
        "text/plain",
        b"User-agent: *\nDisallow: /\n",
    )


def test_browsers_find_the_icon_where_they_look_first(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"] == "/static/img/favicon.svg"
