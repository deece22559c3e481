"""Reads the JSON of strangers, strictly: what comes out can be stored. Pure.

One object, or a batch of them, in which each bad object is told from its good neighbours.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

import orjson

from engagement.storable import (
    DEEPEST,
    LARGEST_INTEGER,
    Problem,
    Refused,
    check_storable,
    printable,
    too_deep,
)

LARGEST = 32 * 1024
LARGEST_BATCH = 500 * 1024
#: Clients send 250 at most; what is refused item by item takes time and words for each.
MOST_ITEMS = 2_000
#: Brackets and strings passed in one batch to find where its bad items end: 20 ms of work.
_MOST_BRACKETS = 50_000
_NUL = rb"\u0000"
_BACKSLASH = ord("\\")
_BLANKS = b" \t\n\r"
#: An escape that may stand for NUL or for half of a character.
_DOUBTFUL_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_SPACE = re.compile(r"[ \t\n\r]*")
#: What matters when the end of a value is sought: whole strings, so that no bracket in one counts.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*+"|[^,\]]*', re.DOTALL)


#: What is wrong with a message that is longer than ``LARGEST``.
TOO_LARGE = Problem("too_large", "", f"is longer than {LARGEST} bytes")


class Item(NamedTuple):
    """An object and its text in UTF-8: the one it was read from, or the same without blanks."""

    value: dict[str, Any]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Unread:
    """A member of a batch that is refused, and its text."""

    problem: Problem
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What an object says beside its list ``batch``, and the members of that list in order."""

    envelope: dict[str, Any]
    items: list[Item | Unread]


def read_object(raw: bytes) -> dict[str, Any] | Problem:
    """Return the JSON object in ``raw``, or why it is refused.

    At most 32 KB and 20 levels deep, UTF-8, no key twice in one object, no NaN, no number beyond 64
    bits, no NUL and no lone surrogate.
    """
    item = read_item(raw)
    return item if isinstance(item, Problem) else item.value


def read_item(raw: bytes) -> Item | Problem:
    """Return the JSON object in ``raw`` with its text, or why ``read_object`` refuses it."""
    faithful = _read_faithfully(raw) if len(raw) <= LARGEST else None
    if faithful and isinstance(faithful.value, dict) and _is_flat(faithful.raw):
        return faithful
    try:
        reader = _Reader(_decode(raw, LARGEST))
        item = reader.item()
        reader.expect_end()
    except Refused as refused:
        return refused.problem
    return item


def read_batch(raw: bytes) -> Batch | Problem:
    """Return the batch in ``raw``, at most 500 KB and 2,000 items, or why all of it is refused.

    Each member of ``batch`` is an object as ``read_object`` takes it, or comes with its problem.
    """
    return _read_unremarkable(raw) or _read_carefully(raw)


def _read_unremarkable(raw: bytes) -> Batch | None:
    """Return a batch in which nothing can be wrong; None leaves it to the careful reader."""
    faithful = _read_faithfully(raw) if len(raw) <= LARGEST_BATCH else None
    members = faithful.value if faithful else None
    values = members.pop("batch", None) if isinstance(members, dict) else None
    if not faithful or not isinstance(values, list) or len(values) > MOST_ITEMS:
        return None
    texts = list(map(orjson.dumps, values))
    blanks = len(raw) - len(faithful.raw)
    if not _is_unremarkable(faithful.value, orjson.dumps(faithful.value), LARGEST - blanks):
        return None
    if not all(map(_is_unremarkable, values, texts, repeat(LARGEST - blanks))):
        return None
    return Batch(faithful.value, list(map(Item, values, texts)))


def _read_faithfully(raw: bytes) -> Item | None:
    """Return what a library reads that is quicker and more lenient, if nothing got lost.

    What comes out, written anew, has to be what came in but for blanks: then no name stood twice
    and no number was bent. Depth and size are still to be looked at, and that it is an object.
    """
    if _BACKSLASH in raw and _NUL in raw:  # to look for a number takes no time
        return None
    try:
        value = orjson.loads(raw)
        written = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    if written != raw and written.translate(None, _BLANKS) != raw.translate(None, _BLANKS):
        return None
    return Item(value, written)


def _is_unremarkable(value: object, raw: bytes, largest: int) -> bool:
    """Say whether an object is certainly small and flat enough."""
    return isinstance(value, dict) and len(raw) <= largest and _is_flat(raw)


def _is_flat(raw: bytes) -> bool:
    """Say whether an object is certainly not too deep: it has too few brackets for that."""
    rest = raw.replace(b"{", b"").replace(b"[", b"")  # seven times as quick as to count them
    return len(raw) - len(rest) <= DEEPEST


def _read_carefully(raw: bytes) -> Batch | Problem:
    try:
        reader = _Reader(_decode(raw, LARGEST_BATCH))
        members = reader.batch_members()
        reader.expect_end()
    except Refused as refused:
        return refused.problem
    items = members.pop("batch", None)
    if items is None:
        return Problem("batch_missing", "batch", "is missing")
    return Batch(members, items)


class _Unusual(Exception):
    """A number stands in the text that only a look at each value can judge and place."""


class _Reader:
    """JSON text, and how far it is read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._brackets_left = _MOST_BRACKETS

    def item(self) -> Item:
        """Read an object that can be stored."""
        start = self._skip_space()
        value = self.value()
        if not isinstance(value, dict):
            raise Refused("not_an_object", "", "is not a JSON object")
        return Item(value, self._text[start : self._at].encode())

    def value(self) -> Any:
        """Read a value that can be stored."""
        start = self._skip_space()
        try:
            value, self._at = _scan(_QUICK, self._text, start)
        except _Unusual:
            value, self._at = _scan(_THOROUGH, self._text, start)
            check_storable(value)
        else:
            if _is_doubtful(self._text[start : self._at]):
                check_storable(value)
        return value

    def batch_members(self) -> dict[str, Any]:
        """Read an object of whose list ``batch`` each item is read for itself."""
        members: dict[str, Any] = {}
        for name in self._names():
            if name in members:
                raise Refused("duplicate_key", printable(name), "stands twice in one object")
            members[name] = list(self._items()) if name == "batch" else self.value()
        return members

    def expect_end(self) -> None:
        """Raise unless all is read."""
        if self._skip_space() != len(self._text):
            raise self._not_json("Extra data")

    def _names(self) -> Iterator[str]:
        """Go through the names of an object; whoever asks for the next has read the value."""
        self._expect("{", "not_an_object", "is not a JSON object")
        if self._sees("}"):
            return
        while True:
            name = self.value()
            if not isinstance(name, str):
                raise self._not_json("Expecting property name enclosed in double quotes")
            self._expect(":")
            yield name
            if self._sees("}"):
                return
            self._expect(",")

    def _items(self) -> Iterator[Item | Unread]:
        """Read a list of objects, each for itself."""
        self._expect("[", "not_a_list", "is not a list")
        if self._sees("]"):
            return
        for _ in range(MOST_ITEMS):
            yield self._item_or_unread()
            if self._sees("]"):
                return
            self._expect(",")
        raise Refused("too_many", "batch", f"holds more than {MOST_ITEMS} messages")

    def _item_or_unread(self) -> Item | Unread:
        start = self._skip_space()
        try:
            item = self.item()
        except Refused as refused:
            end = self._end_of_value(start)
            if end is None or refused.problem.code == "not_json":
                raise  # nobody knows where such an item ends
            self._at = end
            return Unread(refused.problem, self._text[start:end])
        if len(item.raw) > LARGEST:
            return Unread(TOO_LARGE, self._text[start : self._at])
        return item

    def _end_of_value(self, start: int) -> int | None:
        """Return where the value ends that begins at ``start``; None when that takes too long."""
        if not self._text.startswith(("[", "{"), start):
            scalar = _SCALAR.match(self._text, start)
            return scalar.end() if scalar else start
        depth = 0
        for found in _STRING_OR_BRACKET.finditer(self._text, start):
            self._brackets_left -= 1
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found.group(), 0)
            if depth == 0 or self._brackets_left == 0:
                return None if depth else found.end()
        return None

    def _skip_space(self) -> int:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _sees(self, mark: str) -> bool:
        is_there = self._text.startswith(mark, self._skip_space())
        self._at += is_there
        return is_there

    def _expect(self, mark: str, code: str = "not_json", reason: str = "") -> None:
        if not self._sees(mark):
            if self._at == len(self._text) or not reason:
                raise self._not_json(f"Expecting '{mark}'")
            raise Refused(code, "", reason)

    def _not_json(self, what: str) -> Refused:
        return Refused("not_json", "", f"is not JSON: {what} at {self._at}")


def _decode(raw: bytes, largest: int) -> str:
    if len(raw) > largest:
        raise Refused("too_large", "", f"is longer than {largest} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", "", f"is not UTF-8 at byte {error.start}") from None


def _scan(decoder: json.JSONDecoder, text: str, start: int) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise Refused("not_json", "", f"is not JSON: {error.msg} at {error.pos}") from None
    except RecursionError:
        raise too_deep("") from None
    except ValueError:  # more digits than Python reads
        raise Refused("number_too_large", "", "holds a number beyond 64 bits") from None


def _is_doubtful(text: str) -> bool:
    """Say whether ``text`` could hold what ``check_storable`` refuses but for numbers."""
    is_flat = text.count("{") + text.count("[") <= DEEPEST
    return not is_flat or _DOUBTFUL_ESCAPE.search(text) is not None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused("duplicate_key", printable(twice), "stands twice in one object")
    return result


def _no_constant(word: str) -> None:
    raise Refused("not_a_number", "", f"{word} is no JSON number")


def _whole(digits: str) -> int:
    number = int(digits)
    if abs(number) > LARGEST_INTEGER:
        raise _Unusual
    return number


def _broken(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _Unusual
    return number


_THOROUGH = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)
#: Looks at numbers while it decodes, which is quicker than a look at everything afterwards.
_QUICK = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_whole, parse_float=_broken
)
