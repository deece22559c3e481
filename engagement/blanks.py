"""What a stranger's answers may change of a lead that is known: only what nobody knew. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """What answers add to a lead, and where they contradict: each [known, said]."""

    new: Mapping[str, Any]
    differences: Mapping[str, list[Any]]


def compare(known: Mapping[str, Any], said: Mapping[str, Any]) -> Told:
    """Sort answers into news and contradictions; ``attributes`` are compared key by key.

    Texts that differ in capitals and spaces only say the same. A blank answer says nothing.
    """
    attributes = said.get("attributes") or {}
    columns = {name: value for name, value in said.items() if name != "attributes"}
    plain = _compare(known, columns)
    custom = _compare(known.get("attributes") or {}, attributes)
    new = {**plain.new, "attributes": custom.new} if custom.new else plain.new
    marked = {f"attr_{name}": both for name, both in custom.differences.items()}
    return Told(new, {**plain.differences, **marked})


def _compare(known: Mapping[str, Any], said: Mapping[str, Any]) -> Told:
    answered = {name: value for name, value in said.items() if not _is_blank(value)}
    new = {name: value for name, value in answered.items() if _is_blank(known.get(name))}
    differences = {
        name: [known[name], value]
        for name, value in answered.items()
        if name not in new and _spelled(known[name]) != _spelled(value)
    }
    return Told(new, differences)


def _is_blank(value: object) -> bool:
    return value is None or value == ""


def _spelled(value: object) -> object:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value
