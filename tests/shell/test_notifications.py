from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from crm.accounts.models import User
from crm.common.models import Notification
from crm.common.notifications import notify
from tests.factories import client_of, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)


@pytest.fixture
def tomas() -> User:
    return make_user()


@pytest.fixture
def browser(tomas: User) -> Client:
    return client_of(tomas)


def tell(*people: User, title: str = "19 min over", url: str = "/preferences/") -> Notification:
    notify(recipients=people, key=title, title=title, url=url, now=NOW)
    return Notification.objects.filter(title=title).latest("id")


def test_the_page_shows_ones_own_news_only(browser: Client, tomas: User) -> None:
    tell(tomas, title="Mine")
    tell(make_user(), title="Foreign")

    page = browser.get("/notifications/").content.decode()

    assert ("Mine" in page, "Foreign" in page) == (True, False)


def test_the_bell_counts_what_is_unread(browser: Client, tomas: User) -> None:
    tell(tomas, title="One")
    tell(tomas, title="Two")

    page = browser.get("/preferences/").content.decode()

    assert "Notifications, 2 unread" in page


def test_the_dropdown_holds_the_last_eight(browser: Client, tomas: User) -> None:
    for number in range(10):
        notify(
            recipients=[tomas],
            key=str(number),
            title=f"News {number}.",
            now=NOW + timedelta(minutes=number),
        )

    dropdown = browser.get("/notifications/", headers={"HX-Request": "true"}).content.decode()

    shown = [number for number in range(10) if f"News {number}." in dropdown]
    assert shown == [2, 3, 4, 5, 6, 7, 8, 9]
    assert "<html" not in dropdown


def test_opening_marks_as_read_and_goes_there(browser: Client, tomas: User) -> None:
    line = tell(tomas)

    answer = browser.post(f"/notifications/{line.pk}/open/")

    line.refresh_from_db()
    assert answer["Location"] == "/preferences/"
    assert line.read_at is not None


def test_looking_marks_nothing_as_read(browser: Client, tomas: User) -> None:
    line = tell(tomas)

    browser.get("/notifications/")
    answer = browser.get(f"/notifications/{line.pk}/open/")

    line.refresh_from_db()
    assert (answer.status_code, line.read_at) == (405, None)


def test_a_foreign_line_does_not_exist(browser: Client) -> None:
    line = tell(make_user())

    answer = browser.post(f"/notifications/{line.pk}/open/")

    line.refresh_from_db()
    assert (answer.status_code, line.read_at) == (404, None)


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_a_line_never_leads_out_of_the_house(browser: Client, tomas: User, url: str) -> None:
    line = tell(tomas, url=url)

    assert browser.post(f"/notifications/{line.pk}/open/")["Location"] == "/notifications/"


def test_all_can_be_marked_as_read(browser: Client, tomas: User) -> None:
    foreign = tell(make_user(), title="Foreign")
    tell(tomas, title="One")
    tell(tomas, title="Two")

    browser.post("/notifications/read/")

    assert list(Notification.objects.unread()) == [foreign]
