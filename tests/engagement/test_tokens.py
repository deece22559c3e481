"""Tokens in links."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import override_settings

from engagement.enums import LinkReason
from engagement.tokens import (
    LONGEST_PAYLOAD,
    PROOF_LASTS,
    Proof,
    TokenInvalid,
    proof_of,
    prove,
    read,
    sign,
)
from tests.factories import NOW


def test_a_token_is_read_as_what_was_sealed() -> None:
    token = sign("click", [7, 12], now=NOW)

    assert read("click", token, now=NOW) == [7, 12]
    assert re.fullmatch(r"[\w-]+", token)


def test_the_longest_that_may_be_sealed_is_read_and_more_is_not_sealed() -> None:
    """Red when a token that was sealed is too long to be read."""
    longest = "x" * (LONGEST_PAYLOAD - 2)

    assert read("click", sign("click", longest, now=NOW), now=NOW) == longest
    with pytest.raises(ValueError, match="too long"):
        sign("click", longest + "x", now=NOW)


def test_no_id_can_be_read_in_a_token() -> None:
    token = sign("click", ["lead-4711", "ines@example.com"], now=NOW)

    shown = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"4711" not in shown
    assert b"ines" not in shown


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token[:40] + ("A" if token[40] != "A" else "B") + token[41:],
        lambda token: token + "A" * 20_000,
        lambda token: token[:-1] + "é",
        lambda token: "x",
        lambda token: "../" + token,
    ],
)
def test_a_token_that_was_touched_is_none(spoil: Callable[[str], str]) -> None:
    token = spoil(sign("click", [7, 12], now=NOW))

    with pytest.raises(TokenInvalid):
        read("click", token, now=NOW)


def test_a_token_for_one_purpose_is_none_for_another() -> None:
    token = sign("click", [7, 12], now=NOW)

    with pytest.raises(TokenInvalid):
        read("open", token, now=NOW)


def test_a_token_ends_with_its_age() -> None:
    token = sign("download", 7, now=NOW)
    hour = timedelta(hours=1)

    assert read("download", token, now=NOW + hour, max_age=hour) == 7
    with pytest.raises(TokenInvalid):
        read("download", token, now=NOW + hour + timedelta(seconds=1), max_age=hour)


def test_a_token_outlives_a_change_of_the_secret_that_keeps_the_old_one() -> None:
    with override_settings(SECRET_KEY="old " * 16, SECRET_KEY_FALLBACKS=[]):
        token = sign("click", 7, now=NOW)

    with override_settings(SECRET_KEY="new " * 16, SECRET_KEY_FALLBACKS=["old " * 16]):
        assert read("click", token, now=NOW) == 7
    with (
        override_settings(SECRET_KEY="new " * 16, SECRET_KEY_FALLBACKS=[]),
        pytest.raises(TokenInvalid),
    ):
        read("click", token, now=NOW)


def test_a_landing_page_proves_its_visitor_for_half_an_hour() -> None:
    token = prove(lead_id=7, reason=LinkReason.EMAIL_CLICK, now=NOW)

    assert proof_of(token, now=NOW + PROOF_LASTS) == Proof(7, LinkReason.EMAIL_CLICK)
    assert proof_of(token, now=NOW + PROOF_LASTS + timedelta(seconds=1)) is None
    assert proof_of("made-up", now=NOW) is None
