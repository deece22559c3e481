"""What a request is answered as: by whose session, and whether that still holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from crm.accounts.models import User
from crm.common.sessions import SessionStore
from tests.factories import client_of, make_user

pytestmark = pytest.mark.django_db
PAGE = "/leads/"


@pytest.fixture
def person() -> User:
    return make_user()


@pytest.fixture
def client(person: User) -> Client:
    client = client_of(person)
    assert client.get(PAGE).context["user"] == person
    return client


def test_a_session_that_is_over_is_nobodys(client: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert is_sent_to_login(client)


def test_a_session_that_was_deleted_is_nobodys(client: Client) -> None:
    Session.objects.all().delete()
    assert is_sent_to_login(client)


def test_whose_access_has_ended_is_nobody(client: Client, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert is_sent_to_login(client)


def test_an_unknown_key_is_not_taken_over() -> None:
    store = SessionStore("a-key-that-somebody-made-up")
    store["seen"] = True
    store.save()
    assert store.session_key != "a-key-that-somebody-made-up"


@pytest.mark.parametrize("key", ["", "x", "x" * 500, "\u00e9" * 40, "a'; --"])
def test_any_cookie_is_answered(key: str) -> None:
    client = Client()
    client.cookies["sessionid"] = key
    assert is_sent_to_login(client)


def is_sent_to_login(client: Client) -> bool:
    answer = client.get(PAGE)
    return answer.status_code == 302 and "/login/" in answer["Location"]
