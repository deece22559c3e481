"""Origins as browsers spell them."""

from __future__ import annotations

import pytest

from engagement.origins import NotAnOrigin, parse_origin


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://www.example.com", "https://www.example.com"),
        (" HTTPS://WWW.Example.com/ ", "https://www.example.com"),
        ("https://www.example.com:443", "https://www.example.com"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_spelled_as_browsers_spell_it(text: str, origin: str) -> None:
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "www.example.com",
        "ftp://www.example.com",
        "https://",
        "https://www.example.com/blog",
        "https://www.example.com?a=1",
        "https://ines@www.example.com",
        "https://www.example.com:port",
        "https://*.example.com",
        "https://exa mple.com",
        "https://example.com;script-src",
        "https://example.com,evil.example",
        "https://example.com'self'",
        "https://" + "a" * 70 + ".example",
        "null",
        "",
    ],
)
def test_what_is_more_or_less_than_an_origin_is_refused(text: str) -> None:
    with pytest.raises(NotAnOrigin):
        parse_origin(text)
