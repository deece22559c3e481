"""Reads one JSON object of a stranger, strictly: what comes out can be stored. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LARGEST = 32 * 1024
DEEPEST = 20
_LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a message is refused: a stable code, the field at fault and a sentence for people.

    ``field`` is a path such as ``properties.items[2].price``; empty means the whole message.
    """

    code: str
    field: str
    reason: str

    def __str__(self) -> str:
        """Return it in one line: ``too_long: event is longer than 200 characters``."""
        return " ".join(part for part in (f"{self.code}:", self.field, self.reason) if part)


class Refused(Exception):
    """A message cannot be taken; ``problem`` says why."""

    def __init__(self, code: str, field: str, reason: str) -> None:
        """Wrap the problem."""
        super().__init__(reason)
        self.problem = Problem(code, field, reason)


def read_object(raw: bytes) -> dict[str, Any] | Problem:
    """Return the JSON object in ``raw``, or why it is refused.

    At most 32 KB and 20 levels deep, UTF-8, no key twice in one object, no NaN, no number beyond 64
    bits, no NUL and no lone surrogate.
    """
    try:
        value = _decode(raw)
        _check(value)
    except Refused as refused:
        return refused.problem
    return value


def _decode(raw: bytes) -> dict[str, Any]:
    if len(raw) > LARGEST:
        raise Refused("too_large", "", f"is longer than {LARGEST} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", "", f"is not UTF-8 at byte {error.start}") from None
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Refused("not_json", "", f"is not JSON: {error.msg} at {error.pos}") from None
    except RecursionError:
        raise _too_deep("") from None
    except ValueError:  # more digits than Python reads
        raise Refused("number_too_large", "", "holds a number beyond 64 bits") from None
    if not isinstance(value, dict):
        raise Refused("not_an_object", "", "is not a JSON object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused("duplicate_key", _shown(twice), "stands twice in one object")
    return result


def _no_constant(word: str) -> None:
    raise Refused("not_a_number", "", f"{word} is no JSON number")


def _check(root: dict[str, Any]) -> None:
    """Raise when a value cannot be stored; a loop, so that no depth can exhaust the stack."""
    waiting: list[tuple[str, Any, int]] = [("", root, 1)]
    while waiting:
        path, value, depth = waiting.pop()
        if isinstance(value, str):
            _check_text(value, path)
        elif isinstance(value, dict | list):
            if depth > DEEPEST:
                raise _too_deep(path)
            waiting.extend((name, each, depth + 1) for name, each in _children(path, value))
        elif isinstance(value, int | float):
            _check_number(value, path)


def _children(path: str, value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((f"{path}[{index}]", each) for index, each in enumerate(value))
        return
    for name, each in value.items():
        _check_text(name, path)
        yield (f"{path}.{name}" if path else name), each


def _check_text(text: str, path: str) -> None:
    if "\x00" in text or not (text.isascii() or _is_unicode(text)):
        raise Refused("not_text", _shown(path), "holds NUL or half of a character")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_number(number: float, path: str) -> None:
    # An integer beyond the range of floats cannot even be asked whether it is finite.
    is_fit = abs(number) <= _LARGEST_INTEGER if isinstance(number, int) else math.isfinite(number)
    if not is_fit:
        raise Refused("number_too_large", _shown(path), "is beyond 64 bits")


def _too_deep(path: str) -> Refused:
    return Refused("too_deep", _shown(path), f"is nested deeper than {DEEPEST} levels")


def _shown(path: str) -> str:
    """Return a path that can be printed and stored whatever its names hold."""
    return path.encode(errors="replace").decode().replace("\x00", "?")[:100]
