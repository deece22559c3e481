"""The agreement as a document."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from tests.factories import client_of, make_user
from tests.handoff.factories import make_agreement

pytestmark = pytest.mark.django_db


def _page(web: Client, name: str) -> str:
    answer = web.get(reverse(name))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_agreement_reads_as_a_document() -> None:
    make_agreement()
    web = client_of(make_user(Role.REP))

    page = _page(web, "handoff:agreement")

    assert "Agreement between Marketing and Sales" in page
    assert "Buying acts" in page
    assert "At least <b>6 attempts</b>" in page
    assert web.get(reverse("handoff:agreement"), {"version": 7}).status_code == 404


def test_without_an_agreement_the_page_names_the_default_policy() -> None:
    page = _page(client_of(make_user(Role.MARKETER)), "handoff:agreement")

    assert "No agreement is signed" in page
    assert "Every other MQL" in page
