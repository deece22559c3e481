"""What the lock-out counts: addresses of any length, places behind a proxy, many at once."""

from __future__ import annotations

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django import Settings

from crm.accounts.lockout import place_of
from tests.accounts.test_login import fail, is_logged_in, log_in
from tests.concurrency import side_by_side
from tests.factories import PASSWORD, make_user

FORWARDED = {"HTTP_X_FORWARDED_FOR": "198.51.100.7, 192.0.2.7"}


def behind_proxy(address: str) -> Client:
    """Return a browser at ``address``, as seen through the one proxy in front."""
    return Client(headers={"X-Forwarded-For": address})


@pytest.mark.django_db
@pytest.mark.parametrize("length", [255, 256, 320])
def test_an_address_longer_than_can_be_kept_is_counted_like_any_other(
    client: Client, length: int
) -> None:
    address = "x" * (length - len("@example.com")) + "@example.com"

    answers = [log_in(client, password="wrong", address=address) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert len(AccessAttempt.objects.get().username) == 255


@pytest.mark.django_db
def test_whoever_asks_too_often_is_told_when_to_ask_again(client: Client) -> None:
    make_user(email="ines@example.com", password=PASSWORD)
    for number in range(30):
        log_in(client, password="wrong", address=f"nobody{number}@example.com")

    answer = log_in(client)

    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert "Too many attempts" in answer.content.decode()


@pytest.mark.django_db
def test_two_people_behind_one_proxy_are_counted_apart(settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    make_user(email="ines@example.com", password=PASSWORD)
    fail(behind_proxy("198.51.100.7"), 5)
    for number in range(30):
        log_in(behind_proxy("198.51.100.7"), address=f"nobody{number}@example.com")
    elsewhere = behind_proxy("192.0.2.7")

    log_in(elsewhere)

    assert is_logged_in(elsewhere)


@pytest.mark.parametrize(
    ("proxies", "place"), [(0, "127.0.0.1"), (1, "192.0.2.7"), (2, "198.51.100.7")]
)
def test_only_our_own_proxies_are_believed(settings: Settings, proxies: int, place: str) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    request: HttpRequest = RequestFactory().get("/", **FORWARDED)  # type: ignore[arg-type]

    assert place_of(request) == place


@pytest.mark.django_db(transaction=True)
def test_of_many_wrong_passwords_at_once_five_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_user(email="ines@example.com", password=PASSWORD)
    looked_at: list[str] = []
    verify = Argon2PasswordHasher.verify

    def noted(self: Argon2PasswordHasher, password: str, encoded: str) -> bool:
        looked_at.append(password)
        return verify(self, password, encoded)

    monkeypatch.setattr(Argon2PasswordHasher, "verify", noted)

    side_by_side(*[lambda: log_in(Client(), password="wrong")] * 12)
    cache.clear()

    assert len(looked_at) == 5
    assert AccessAttempt.objects.get().failures_since_start == 5
