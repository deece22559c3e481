"""Walking through a JSON document while noting every fault with its path."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from django.db.models import TextChoices

C = TypeVar("C", bound=TextChoices)
_MISSING = object()


class Problem(NamedTuple):
    """What is wrong where: ``engagement.groups[0].cap``, ``is missing``."""

    path: str
    sentence: str

    @property
    def is_of_criteria(self) -> bool:
        """Return whether it is in a tree of criteria, which asks for what people declare."""
        return "criteria" in self.path.split(".")

    def __str__(self) -> str:
        """Return both as one line."""
        return f"{self.path or 'the document'} {self.sentence}"


class Node:
    """One object of the document. Each key is taken once; what is left over is unknown.

    A value that cannot be used is noted as a problem and replaced by a harmless one, so that all
    faults of a document come out at once.
    """

    def __init__(self, value: Any, path: str, problems: list[Problem]) -> None:
        """Note a problem when ``value`` is no object."""
        self._path = path
        self._problems = problems
        self.is_object = isinstance(value, dict)
        self._values: dict[Any, Any] = dict(value) if isinstance(value, dict) else {}
        if not self.is_object:
            self.fault("", "is missing" if value is None else "must be an object")

    def fault(self, key: str, sentence: str) -> None:
        """Note what is wrong with a key, or with the node itself."""
        path = f"{self._path}.{key}" if self._path and key else self._path or key
        self._problems.append(Problem(path, sentence))

    def has(self, key: str) -> bool:
        """Return whether the key is there and not taken yet."""
        return self._values.get(key) is not None

    def take(self, key: str, default: Any = None) -> Any:
        """Return a value as it stands."""
        return self._values.pop(key, default)

    def refuse_the_rest(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._values:
            self.fault(str(key)[:60], "is not known here")

    def child(self, key: str) -> Node:
        """Return the object under ``key``."""
        path = f"{self._path}.{key}" if self._path else key
        return Node(self.take(key), path, self._problems)

    def children(self, key: str) -> list[Node]:
        """Return the objects of the list under ``key``; a missing list is empty."""
        values = self.take(key, [])
        if not isinstance(values, list):
            self.fault(key, "must be a list")
            return []
        path = f"{self._path}.{key}" if self._path else key
        return [Node(value, f"{path}[{i}]", self._problems) for i, value in enumerate(values)]

    def text(self, key: str, *, longest: int, optional: bool = False) -> str:
        """Return a text without outer blanks."""
        value = self.take(key, "" if optional else None)
        if not isinstance(value, str) or not (value.strip() or optional):
            self.fault(key, "needs a text")
            return ""
        if len(value) > longest:
            self.fault(key, f"is longer than {longest} characters")
        if not value.isprintable():
            self.fault(key, "holds a character that cannot be shown")
            return ""
        return value.strip()

    def boolean(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            self.fault(key, "must be true or false")
            return default
        return value

    def choice(self, key: str, choices: type[C], *, required: bool = False) -> C | None:
        """Return one of the codes of ``choices``."""
        value = self.take(key)
        if value is None and not required:
            return None
        if value not in choices.values:
            shown = "is missing" if value is None else f"does not know {str(value)[:40]!r}"
            self.fault(key, f"{shown}; it knows {', '.join(choices.values)}")
            return None
        return choices(value)

    def number(self, key: str) -> Decimal | None:
        """Return a finite number, None when there is none."""
        value = self.take(key)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or (isinstance(value, float) and not math.isfinite(value)):
            self.fault(key, "must be a number")
            return None
        return Decimal(str(value))

    def whole(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        """Return a whole number within limits."""
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fault(key, f"must be a whole number from {least} to {most}")
            return least
        return value

    def tenths(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """Return points as whole tenths; ``least``, ``most`` and ``default`` are tenths too."""
        if not self.has(key):
            self.take(key)
            if default is None:
                self.fault(key, "needs points")
            return most if default is None else default
        points = self.number(key)
        if points is None:
            return most
        tenths = points * 10
        if tenths != int(tenths):
            self.fault(key, "may have one decimal at most")
        elif not least <= tenths <= most:
            self.fault(key, f"must be {least / 10:g} to {most / 10:g} points")
        return int(tenths)
