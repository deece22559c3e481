"""Where the login leads after a form met an ended session."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"


def way_back(referer: str) -> str:
    headers = {"referer": referer} if referer else {}
    return Client().post("/handoffs/3/accept/", headers=headers)["Location"]


def test_the_login_leads_back_to_the_page_that_the_form_stood_on() -> None:
    assert way_back("http://testserver/queue/?open=3") == f"{LOGIN}?next=/queue/%3Fopen%3D3"
    assert way_back("http://testserver/queue/") == f"{LOGIN}?next=/queue/"


@pytest.mark.parametrize("referer", ["", "https://evil.example/queue/", "javascript:alert(1)"])
def test_no_other_site_names_the_way_back(referer: str) -> None:
    assert way_back(referer) == f"{LOGIN}?next=/"


def test_a_page_that_was_only_opened_is_the_way_back_itself() -> None:
    assert Client().get("/queue/?open=3")["Location"] == f"{LOGIN}?next=/queue/%3Fopen%3D3"
