"""Patterns of addresses: which asset a page belongs to. Pure.

A pattern is a path, ``/pricing`` or ``/blog/*``, for every host or, as
``docs.example.com/guide/*``, for one. ``*`` stands for any text, slashes and none included. Queries
and a slash at the end do not count. Of several patterns that fit, the most specific has the page:
an exact path before one with ``*``, then the longer text, then the one that names its host, then
the first by spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlsplit

LONGEST_PATH = 300
LONGEST_HOST = 253  # RFC 1035
MOST_STARS = 5
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*(:\d{1,5})?")

T = TypeVar("T")


class PatternInvalid(ValueError):
    """A text is no pattern; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path with or without ``*``; an empty ``host`` is every host."""

    host: str
    path: str

    def __str__(self) -> str:
        """Return the pattern as people type it."""
        return f"{self.host}{self.path}"

    @property
    def is_exact(self) -> bool:
        """Return whether only one path fits."""
        return "*" not in self.path

    @property
    def rank(self) -> tuple[bool, int, bool, str]:
        """Return what sorts patterns with the most specific first."""
        text = len(self.path) - self.path.count("*")
        return not self.is_exact, -text, not self.host, str(self)


def read_pattern(text: str) -> Pattern:
    """Return the pattern that somebody typed or pasted, be it a whole address.

    Raises:
        PatternInvalid: when it is none.
    """
    bare = re.sub(r"^https?://", "", text.strip(), flags=re.IGNORECASE)
    bare = re.split(r"[?#]", bare, maxsplit=1)[0]
    host, slash, rest = bare.partition("/")
    path = f"{slash}{rest}".rstrip("/") or slash
    host = host.lower()
    if not path:
        raise PatternInvalid(f"{text[:60]!r} has no path: write /pricing or example.com/blog/*.")
    if host and (not _HOST.fullmatch(host) or len(host) > LONGEST_HOST):
        raise PatternInvalid(f"{host[:60]!r} is no host; a path begins with a slash.")
    if not path.isprintable() or " " in path:
        raise PatternInvalid(f"{path[:60]!r} holds a character that no address has.")
    if len(path) > LONGEST_PATH:
        raise PatternInvalid(f"A path has at most {LONGEST_PATH} characters.")
    path = re.sub(r"\*+", "*", path)
    if path.count("*") > MOST_STARS:
        raise PatternInvalid(f"A pattern has at most {MOST_STARS} stars.")
    return Pattern(host, path)


class Recogniser(Generic[T]):
    """Many patterns as two look-ups: exact paths by dictionary, the others by one expression."""

    def __init__(self, patterns: Iterable[tuple[Pattern, T]]) -> None:
        """Compile ``patterns``, each with what it stands for."""
        ordered = sorted(patterns, key=lambda each: each[0].rank)
        self._exact = {(p.host, p.path): of for p, of in ordered if p.is_exact}
        loose = [(p, of) for p, of in ordered if not p.is_exact]
        self._loose = [of for _, of in loose]
        self._expression = re.compile("|".join(f"({_translated(p)})" for p, _ in loose), re.DOTALL)
        self._names_host = any(p.host for p, _ in ordered)
        self._seen: dict[tuple[str, str], T | None] = {}

    def find(self, url: str, path: str) -> T | None:
        """Return what the page at ``url`` stands for; ``path`` is its path without a last slash."""
        host = _host(url) if self._names_host else ""
        key = (host, path)
        if key not in self._seen:
            self._seen[key] = self._find(host, path)
        return self._seen[key]

    def _find(self, host: str, path: str) -> T | None:
        exact = self._exact.get((host, path)) or self._exact.get(("", path))
        if exact or not self._loose:
            return exact
        match = self._expression.fullmatch(f"{host}{path}")
        return self._loose[match.lastindex - 1] if match and match.lastindex else None


def _translated(pattern: Pattern) -> str:
    """Return a pattern as a regular expression that reads a text once, whatever is in it.

    The groups are atomic: what stands before a star is found where it comes first and not sought
    again, so that no address, however it is made, takes more time than it is long.
    """
    first, *middle, last = pattern.path.split("*")
    host = re.escape(pattern.host) if pattern.host else "[^/]*"
    steps = "".join(f"(?>.*?{re.escape(text)})" for text in middle)
    return f"{host}{re.escape(first)}{steps}.*{re.escape(last)}"


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:  # such as an unclosed bracket in the host
        return ""
