"""The pages and mails around the login speak as the rest of Baton does."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from tests.factories import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db

#: Two words in a row with a capital each, as allauth writes its own titles and labels.
TITLE_CASE = re.compile(r">\s*([A-Z][a-z]+(?: [A-Z][a-z]+)+)\s*<")


@pytest.mark.parametrize(
    "name", ["account_login", "account_reset_password", "account_signup", "account_inactive"]
)
def test_pages_before_the_login_are_in_sentence_case(client: Client, name: str) -> None:
    assert TITLE_CASE.findall(client.get(reverse(name)).text) == []


@pytest.mark.parametrize("name", ["account_change_password", "mfa_index", "account_reauthenticate"])
def test_pages_about_ones_login_are_in_sentence_case(name: str) -> None:
    person = make_user(Role.MARKETER, full_name="Lena", password=PASSWORD)

    assert TITLE_CASE.findall(client_of(person).get(reverse(name), follow=True).text) == []


def test_a_new_password_is_mailed_as_a_link_and_nothing_else(client: Client) -> None:
    make_user(email="ines@example.com", password=PASSWORD)

    client.post(reverse("account_reset_password"), {"email": "ines@example.com"})

    [message] = mail.outbox
    assert message.subject == "A new password for Baton"
    assert re.findall(r"https?://\S+", str(message.body))[0].startswith(
        "http://testserver/accounts/password/reset/key/"
    )


def test_a_stranger_is_told_by_mail_only_and_is_offered_no_sign_up(client: Client) -> None:
    client.post(reverse("account_reset_password"), {"email": "nobody@example.com"})

    [message] = mail.outbox
    assert message.subject == "No account at Baton"
    assert "signup" not in str(message.body)
