from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from tests.factories import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db
FIRST_ADMIN = {"full_name": "Ada", "email": "Ada@Example.com", "password": PASSWORD}


@pytest.mark.parametrize(
    ("roles", "first"),
    [
        ([Role.REP], "handoff:queue"),
        ([Role.MANAGER], "reports:today"),
        ([Role.MARKETER], "leads:list"),
        ([Role.ADMIN], "shell:health"),
        ([Role.ADMIN, Role.MANAGER], "reports:today"),
        ([Role.MANAGER, Role.REP], "handoff:queue"),
    ],
)
def test_the_role_decides_the_first_page(roles: list[Role], first: str) -> None:
    response = client_of(make_user(*roles)).get("/")

    assert (response.status_code, response["Location"]) == (302, reverse(first))


def test_who_has_no_role_lands_on_their_own_settings() -> None:
    response = client_of(make_user(roles=[])).get("/")

    assert response["Location"] == "/preferences/"


def test_strangers_are_asked_to_log_in(client: Client) -> None:
    make_user()

    assert client.get("/")["Location"] == "/accounts/login/"


def test_an_empty_installation_offers_to_make_its_first_admin(client: Client) -> None:
    assert client.get("/")["Location"] == "/welcome/"

    response = client.post("/welcome/", FIRST_ADMIN)

    ada = User.objects.get()
    assert response["Location"] == reverse("shell:guide")
    assert (ada.email, ada.roles) == ("ada@example.com", [Role.ADMIN])
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_the_first_run_page_is_gone_once_anybody_exists(client: Client) -> None:
    make_user(is_active=False)

    page = client.get("/welcome/")
    attempt = client.post("/welcome/", FIRST_ADMIN)

    assert (page.status_code, attempt.status_code) == (404, 404)
    assert User.objects.filter(email="ada@example.com").count() == 0


def test_a_weak_first_password_is_refused_with_its_reason(client: Client) -> None:
    response = client.post("/welcome/", {**FIRST_ADMIN, "password": "password"})

    assert response.status_code == 422
    assert b"too short" in response.content
    assert User.objects.count() == 0


def test_a_first_admin_of_nothing_is_refused(client: Client) -> None:
    assert client.post("/welcome/", {}).status_code == 422
