from __future__ import annotations

import json

import pytest

from engagement.collector.senders import address_of, circumstances, key_in, networks

PROXIES = networks(["10.0.0.5", "10.1.0.0/16", "::1"])


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (b"Basic S0VZOg==", "KEY"),
        (b"basic S0VZOnNlY3JldA==", "KEY"),
        (b"Basic S0VZ", "KEY"),
        (b"Basic ???", ""),
        (b"Basic /w==", ""),
        (b"Bearer S0VZOg==", ""),
        (b"", ""),
    ],
)
def test_the_key_is_the_user_of_basic_authorization(header: bytes, key: str) -> None:
    assert key_in(header) == key


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("192.0.2.7", b"", "192.0.2.7"),
        ("192.0.2.7", b"198.51.100.1", "192.0.2.7"),  # whoever says so is no proxy of ours
        ("10.0.0.5", b"198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", b"203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", b"203.0.113.9, 198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("::1", b"2001:db8::1", "2001:db8::1"),
        ("10.0.0.5", b"", "10.0.0.5"),
        ("10.0.0.5", b"unknown", "10.0.0.5"),
        ("10.0.0.5", b"198.51.100.1, <script>", "10.0.0.5"),
        ("10.0.0.5", b"10.1.2.3", "10.1.2.3"),
    ],
)
def test_the_sender_is_the_last_address_that_no_proxy_of_ours_has(
    client: str, forwarded: bytes, address: str
) -> None:
    assert address_of(client, forwarded, PROXIES) == address


def test_without_proxies_nobody_is_believed() -> None:
    assert address_of("127.0.0.1", b"198.51.100.1", networks([])) == "127.0.0.1"


def test_a_misspelled_proxy_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.256"):
        networks(["10.0.0.256"])


def test_what_is_told_beside_the_body_is_cut_to_length() -> None:
    told = circumstances("", {b"user-agent": b"x" * 900, b"purpose": b"prefetch"})

    assert json.loads(told) == {"agent": "x" * 500, "purpose": "prefetch"}
