"""Named things that upper floors register and lower floors show, in a stable order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Registrable(Protocol):
    """What can be registered: it has a name and a place in the order."""

    @property
    def name(self) -> str:
        """Return the unique name."""

    @property
    def order(self) -> int:
        """Return the place among its kind; smaller comes first."""


T = TypeVar("T", bound=Registrable)


class Registry(Generic[T]):
    """A set of named items; filled while apps start, read-only afterwards by convention."""

    def __init__(self, noun: str) -> None:
        """Name what is kept, for the error of a second registration."""
        self._noun = noun
        self._items: dict[str, T] = {}

    def register(self, *items: T) -> None:
        """Add ``items``.

        Raises:
            ValueError: when a name is taken; two apps must not mean different things by one name.
        """
        for item in items:
            if item.name in self._items:
                raise ValueError(f"{self._noun} {item.name!r} is registered twice")
            self._items[item.name] = item
        self._items = {item.name: item for item in sorted(self._items.values(), key=_place)}

    def get(self, name: str) -> T | None:
        """Return the item of that name, or None."""
        return self._items.get(name)

    def __iter__(self) -> Iterator[T]:
        """Go through the items by order, then name."""
        return iter(self._items.values())


def _place(item: Registrable) -> tuple[int, str]:
    return item.order, item.name
