from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.patterns import Pattern, PatternInvalid, Recogniser, read_pattern

pieces = st.text("ab/.", max_size=8)
paths = pieces.map(lambda text: f"/{text}")
globs = st.lists(pieces, min_size=2, max_size=5).map(lambda parts: "/" + "*".join(parts))


@pytest.mark.parametrize(
    ("typed", "host", "path"),
    [
        ("/pricing", "", "/pricing"),
        ("/pricing/", "", "/pricing"),
        ("/", "", "/"),
        (" https://www.Halvorn.example/Blog/*?utm_source=x ", "www.halvorn.example", "/Blog/*"),
        ("docs.halvorn.example/guide#top", "docs.halvorn.example", "/guide"),
        ("localhost:8000/a", "localhost:8000", "/a"),
        ("/blog/***", "", "/blog/*"),
    ],
)
def test_a_pattern_is_read_as_people_type_it(typed: str, host: str, path: str) -> None:
    assert read_pattern(typed) == Pattern(host, path)


@pytest.mark.parametrize(
    "typed",
    ["", "pricing", "https://halvorn.example", "not a host/x", "/a b", "/a\nb", "/" + "a" * 300,
     "/*a*b*c*d*e*f", "ex*mple.com/a", "/a\x00"],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(typed: str) -> None:
    with pytest.raises(PatternInvalid):
        read_pattern(typed)


@given(glob=globs, path=paths)
def test_a_star_stands_for_any_text(glob: str, path: str) -> None:
    found = Recogniser([(Pattern("", glob), "it")]).find("", path)

    assert (found == "it") is fnmatchcase(path, glob)


@pytest.mark.parametrize(
    ("url", "asset"),
    [
        ("https://www.halvorn.example/pricing", "pricing"),
        ("https://docs.halvorn.example/pricing", "pricing of docs"),
        ("https://docs.halvorn.example/a", "docs"),
        ("https://www.halvorn.example/blog/oee", "blog"),
        ("https://www.halvorn.example/blog/oee/part-2", "oee series"),
        ("https://someone@docs.halvorn.example/a", "docs"),
        ("https://www.halvorn.example/about", None),
        ("https://[broken/blog/oee", "blog"),
    ],
)
def test_the_most_specific_pattern_has_the_page(url: str, asset: str | None) -> None:
    library = Recogniser(
        (read_pattern(text), of)
        for text, of in [
            ("docs.halvorn.example/*", "docs"),
            ("/pricing", "pricing"),
            ("docs.halvorn.example/pricing", "pricing of docs"),
            ("/blog/*", "blog"),
            ("/blog/oee/*", "oee series"),
        ]
    )

    assert library.find(url, "/" + url.split("/", 3)[3]) == asset


def test_of_two_equal_patterns_the_first_by_spelling_has_the_page() -> None:
    both = [(Pattern("", "/a*"), "first"), (Pattern("", "/*a"), "second")]

    for order in (both, both[::-1]):
        assert Recogniser(order).find("", "/aa") == "second"


def test_no_address_takes_long() -> None:
    # Five stars and backtracking would need 2,000 ** 5 steps for this.
    library = Recogniser([(Pattern("", "/*a*a*a*a*b"), "it")])

    assert library.find("", "/" + "a" * 1_999) is None
