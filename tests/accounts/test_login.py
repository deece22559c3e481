from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.core.management import call_command
from django.db.models import F
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from crm.accounts.enums import Role
from crm.accounts.models import User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


def log_in(
    client: Client, *, password: str = PASSWORD, address: str = "ines@example.com"
) -> HttpResponse:
    return client.post(LOGIN, {"login": address, "password": password})  # type: ignore[return-value]


def fail(client: Client, times: int, *, address: str = "ines@example.com") -> HttpResponse:
    """Give a wrong password ``times`` times and return the last answer."""
    return [log_in(client, password="wrong", address=address) for _ in range(times)][-1]


def is_logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def let_time_pass(span: timedelta) -> None:
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - span)


@pytest.fixture
def ines() -> User:
    return make_user(email="ines@example.com", password=PASSWORD)


def test_the_address_is_the_login_whatever_its_case(client: Client, ines: User) -> None:
    response = log_in(client, address="INES@Example.com")

    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_logged_in(client)


def test_four_wrong_passwords_are_forgiven(client: Client, ines: User) -> None:
    fail(client, 4)

    log_in(client)

    assert is_logged_in(client)


def test_after_five_wrong_passwords_the_right_one_is_refused_with_the_time(
    client: Client, ines: User
) -> None:
    fifth = fail(client, 5)
    sixth = log_in(client)

    assert (fifth.status_code, sixth.status_code) == (429, 429)
    assert not is_logged_in(client)
    assert re.search(
        r"Try again in 1[45] min, at <time[^>]*>\d\d:\d\d UTC</time>", sixth.content.decode()
    )
    assert 880 <= int(sixth["Retry-After"]) <= 900


def test_time_heals(client: Client, ines: User) -> None:
    fail(client, 5)
    let_time_pass(timedelta(minutes=15))

    log_in(client)

    assert is_logged_in(client)


def test_fourteen_minutes_do_not(client: Client, ines: User) -> None:
    fail(client, 5)
    let_time_pass(timedelta(minutes=14))

    assert log_in(client).status_code == 429


def test_trying_while_locked_out_does_not_make_it_longer(client: Client, ines: User) -> None:
    fail(client, 5)
    let_time_pass(timedelta(minutes=14))
    fail(client, 3)
    let_time_pass(timedelta(minutes=1))

    log_in(client)

    assert is_logged_in(client)


def test_nobody_else_at_the_same_place_is_locked_out(client: Client, ines: User) -> None:
    make_user(email="tomas@example.com", password=PASSWORD)
    fail(client, 5)

    log_in(client, address="tomas@example.com")

    assert is_logged_in(client)


def test_the_same_person_elsewhere_is_not_locked_out(client: Client, ines: User) -> None:
    fail(client, 5)
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")

    log_in(elsewhere)

    assert is_logged_in(elsewhere)


def test_spelling_the_address_otherwise_buys_no_further_attempts(
    client: Client, ines: User
) -> None:
    fail(client, 3)
    fail(client, 2, address=" INES@example.COM")

    assert log_in(client).status_code == 429


def test_an_address_without_an_account_is_locked_out_alike(client: Client, ines: User) -> None:
    known = [log_in(client, password="wrong") for _ in range(6)]
    unknown = [log_in(client, password="wrong", address="no@example.com") for _ in range(6)]

    assert [answer.status_code for answer in known] == [answer.status_code for answer in unknown]


def test_a_login_forgets_earlier_failures(client: Client, ines: User) -> None:
    fail(client, 4)
    log_in(client)
    client.logout()
    fail(client, 4)

    log_in(client)

    assert is_logged_in(client)


def test_the_admin_site_has_the_same_door(client: Client, ines: User) -> None:
    response = client.post("/admin/login/", {"username": "ines@example.com", "password": PASSWORD})

    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)
    assert not is_logged_in(client)


def test_who_has_left_cannot_log_in(client: Client, ines: User) -> None:
    User.objects.update(is_active=False)

    log_in(client)

    assert not is_logged_in(client)


def test_who_leaves_is_out_at_the_next_click(client: Client, ines: User) -> None:
    log_in(client)
    User.objects.update(is_active=False)

    response = client.get("/preferences/")

    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)


def test_nobody_registers_themselves(client: Client) -> None:
    page = client.get("/accounts/signup/")
    client.post("/accounts/signup/", {"email": "me@example.com", "password1": PASSWORD})

    assert (page.status_code, b"<form" in page.content) == (200, False)
    assert User.objects.count() == 0


def test_login_needs_no_broker_and_no_redis(client: Client, ines: User, settings: Settings) -> None:
    settings.CELERY_BROKER_URL = "redis+socket:///nowhere/at/all"

    log_in(client)

    assert is_logged_in(client)
    assert "redis" not in settings.CACHES["default"]["BACKEND"]


def test_an_admin_can_be_made_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command(
        "createsuperuser", email="Ada@Example.com", full_name="Ada", interactive=False, verbosity=0
    )

    ada = User.objects.get()
    assert (ada.email, ada.roles) == ("ada@example.com", [Role.ADMIN])
    assert ada.check_password(PASSWORD)


# --- Second factor


def one_time_code(secret: str, *, at: float) -> str:
    """Compute a code as RFC 6238 says, independently of the library under test."""
    counter = struct.pack(">Q", int(at) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def switch_on_second_factor(client: Client) -> str:
    """Activate it as a person does, and return the secret that their phone now holds."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    match = re.search(r"\b([A-Z2-7]{32})\b", page)
    assert match
    secret = match.group(1)
    client.post("/accounts/2fa/totp/activate/", {"code": one_time_code(secret, at=time.time())})
    return secret


def test_with_a_second_factor_the_password_alone_does_not_log_in(
    client: Client, ines: User
) -> None:
    log_in(client)
    secret = switch_on_second_factor(client)
    client.logout()

    first = log_in(client)
    after_password = is_logged_in(client)
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    after_wrong_code = is_logged_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": one_time_code(secret, at=time.time() + 30)})

    assert Authenticator.objects.filter(user=ines, type=Authenticator.Type.TOTP).exists()
    assert first["Location"] == "/accounts/2fa/authenticate/"
    assert (after_password, wrong.status_code, after_wrong_code) == (False, 200, False)
    assert is_logged_in(client)


def test_one_time_codes_cannot_be_guessed_one_after_the_other(client: Client, ines: User) -> None:
    log_in(client)
    secret = switch_on_second_factor(client)
    client.logout()
    log_in(client)
    for _ in range(5):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})

    client.post("/accounts/2fa/authenticate/", {"code": one_time_code(secret, at=time.time() + 30)})

    assert not is_logged_in(client)


def test_the_password_is_asked_again_before_the_second_factor_is_changed(
    client: Client, ines: User
) -> None:
    log_in(client)

    asked = client.get("/accounts/2fa/totp/activate/")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    allowed = client.get("/accounts/2fa/totp/activate/")

    assert (asked.status_code, allowed.status_code) == (302, 200)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
