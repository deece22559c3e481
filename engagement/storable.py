"""What of the JSON of strangers can be stored, and how it is said what cannot. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DEEPEST = 20
LARGEST_INTEGER = 2**63 - 1


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


def check_storable(root: object) -> None:
    """See that a value can be stored; a loop, so that no depth can exhaust the stack.

    Raises:
        Refused: with the field at fault.
    """
    waiting: list[tuple[str, Any, int]] = [("", root, 1)]
    while waiting:
        path, value, depth = waiting.pop()
        if isinstance(value, str):
            _check_text(value, path)
        elif isinstance(value, dict | list):
            if depth > DEEPEST:
                raise too_deep(path)
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
        raise Refused("not_text", printable(path), "holds NUL or half of a character")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_number(number: float, path: str) -> None:
    # An integer beyond the range of floats cannot even be asked whether it is finite.
    is_fit = abs(number) <= LARGEST_INTEGER if isinstance(number, int) else math.isfinite(number)
    if not is_fit:
        raise Refused("number_too_large", printable(path), "is beyond 64 bits")


def too_deep(path: str) -> Refused:
    """Return the refusal of what stands deeper than ``DEEPEST`` at ``path``."""
    return Refused("too_deep", printable(path), f"is nested deeper than {DEEPEST} levels")


def printable(path: str) -> str:
    """Return a path that can be printed and stored whatever its names hold."""
    return path.encode(errors="replace").decode().replace("\x00", "?")[:100]
