"""The agreement as a document, and the calendars on which its time is counted."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from tests.factories import client_of, make_user
from tests.handoff.factories import BERLIN_WEEK, make_agreement, make_calendar

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


def test_calendars_show_the_days_to_come_that_differ_from_their_week() -> None:
    special = {
        "exceptions": {"2126-05-18": [["10:00", "12:00"]], "2020-05-18": [["09:00", "10:00"]]},
        "closures": [["2126-12-24T12:00", "2126-12-24T18:00"]],
        "holidays": ["2020-01-01", "2126-01-01"],
    }
    make_calendar(definition={**BERLIN_WEEK, **special})

    page = _page(client_of(make_user(Role.MANAGER)), "handoff:calendars")

    assert "Sat 18 May 2126" in page
    assert "10:00–12:00" in page
    assert "Tue 24 Dec 2126, 12:00 to Tue 24 Dec 2126, 18:00" in page
    assert "1 Jan 2126" in page
    assert "2020" not in page


def test_calendars_are_shown_with_their_week() -> None:
    make_calendar()

    page = _page(client_of(make_user(Role.MANAGER)), "handoff:calendars")

    assert "Europe/Berlin" in page
    assert "09:00–18:00" in page
