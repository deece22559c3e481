"""Who keeps criteria in force, so that what they ask for is not taken away unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from crm.common.registry import Registry


@dataclass(frozen=True)
class Keeper:
    """An app that keeps criteria: ``load()`` returns those in force, each with what it is called.

    The trees are as stored, whether they can still be read or not.
    """

    name: str
    order: int
    load: Callable[[], Iterable[tuple[str, Any]]]


keepers: Registry[Keeper] = Registry("keeper of criteria")


def users_of(field: str, values: Collection[str] | None = None) -> list[str]:
    """Return what people call the criteria in force that ask for ``field``.

    With ``values``, only those that compare it with one of these.
    """
    return [
        called
        for keeper in keepers
        for called, tree in keeper.load()
        if any(_asks(leaf, field, values) for leaf in _leaves(tree))
    ]


def _asks(leaf: dict[str, Any], field: str, values: Collection[str] | None) -> bool:
    if leaf["field"] != field or values is None:
        return bool(leaf["field"] == field)
    asked = leaf.get("value")
    return not set(values).isdisjoint(asked if isinstance(asked, list) else [asked])


def _leaves(tree: Any) -> Iterator[dict[str, Any]]:
    """Go through the comparisons of a stored tree."""
    if isinstance(tree, list):
        for part in tree:
            yield from _leaves(part)
    elif isinstance(tree, dict):
        if "field" in tree:
            yield tree
        for how in ("all", "any", "not"):
            yield from _leaves(tree.get(how))
