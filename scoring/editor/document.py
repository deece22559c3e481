"""Changing the document of a draft, part by part. Pure: every function returns a new document.

A section is what the page shows at once: a group of acts, a persona, the disqualifiers, what
blocks an MQL, what makes one at once. Its key is its address: ``group-0``, ``disqualifiers``.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from typing import Any

Document = dict[str, Any]

NEW_CAP = 10


class SectionKind(Enum):
    """What the rules of a section are made of."""

    GROUP = "group"
    PERSONA = "persona"
    DISQUALIFIERS = "disqualifiers"
    BLOCKING = "blocking"
    FAST_TRACK = "fast-track"

    @property
    def is_many(self) -> bool:
        """Return whether there can be several sections of this kind, each with a name."""
        return self in (SectionKind.GROUP, SectionKind.PERSONA)


_LISTS = {
    SectionKind.GROUP: ("engagement", "groups"),
    SectionKind.PERSONA: ("fit", "personas"),
    SectionKind.DISQUALIFIERS: ("", "disqualifiers"),
    SectionKind.BLOCKING: ("mql", "blocking"),
    SectionKind.FAST_TRACK: ("mql", "fast_track"),
}


@dataclass(frozen=True)
class Section:
    """One section of a document, by its place there."""

    kind: SectionKind
    place: int = 0

    @property
    def key(self) -> str:
        """Return its address."""
        return f"{self.kind.value}-{self.place}" if self.kind.is_many else self.kind.value

    @property
    def path(self) -> str:
        """Return where the document has it, as faults and differences name it."""
        outer, inner = _LISTS[self.kind]
        path = f"{outer}.{inner}" if outer else inner
        return f"{path}[{self.place}]" if self.kind.is_many else path

    def rule_path(self, place: int) -> str:
        """Return where the document has one of its rules."""
        return f"{self.path}{'.rules' if self.kind.is_many else ''}[{place}]"


def whole(document: Any) -> Document:
    """Return a copy that has all parts, in the shapes that rules can be put into."""
    copy: Document = deepcopy(document) if isinstance(document, dict) else {}
    for kind in SectionKind:
        outer, inner = _LISTS[kind]
        holder = _shaped(copy, outer, dict) if outer else copy
        _shaped(holder, inner, list)
    for kind in (SectionKind.GROUP, SectionKind.PERSONA):
        owners = _list(copy, kind)
        owners[:] = [each for each in owners if isinstance(each, dict)]
        for each in owners:
            _shaped(each, "rules", list)
    for section in sections(copy):
        rules = rules_of(copy, section)
        rules[:] = [rule for rule in rules if isinstance(rule, dict)]
    return copy


def _shaped(holder: Document, key: str, shape: type[dict[Any, Any]] | type[list[Any]]) -> Any:
    if not isinstance(holder.get(key), shape):
        holder[key] = shape()
    return holder[key]


def _list(document: Document, kind: SectionKind) -> list[Any]:
    outer, inner = _LISTS[kind]
    found: list[Any] = (document[outer] if outer else document)[inner]
    return found


def sections(document: Document) -> Iterator[Section]:
    """Go through the sections of a whole document in the order of the page."""
    for kind in SectionKind:
        count = len(_list(document, kind)) if kind.is_many else 1
        yield from (Section(kind, place) for place in range(count))


def section_named(document: Document, key: str) -> Section | None:
    """Return the section with that address, None when the document has none."""
    return next((each for each in sections(document) if each.key == key), None)


def owner_of(document: Document, section: Section) -> Document:
    """Return the group or persona itself: its name and limits."""
    owner: Document = _list(document, section.kind)[section.place] if section.kind.is_many else {}
    return owner


def rules_of(document: Document, section: Section) -> list[Any]:
    """Return the rules of a section."""
    found: list[Any] = (
        owner_of(document, section)["rules"]
        if section.kind.is_many
        else _list(document, section.kind)
    )
    return found


def with_rule(document: Document, section: Section, place: int | None, rule: Document) -> Document:
    """Return the document with a rule changed, or added at the end when ``place`` is None."""
    changed = deepcopy(document)
    rules = rules_of(changed, section)
    if place is None:
        rules.append(rule)
    else:
        rules[place] = rule
    return changed


def without_rule(document: Document, section: Section, place: int) -> Document:
    """Return the document without a rule."""
    changed = deepcopy(document)
    del rules_of(changed, section)[place]
    return changed


def with_rule_moved(document: Document, section: Section, place: int, to: int) -> Document:
    """Return the document with a rule at another place of its section."""
    changed = deepcopy(document)
    _move(rules_of(changed, section), place, to)
    return changed


def with_section(document: Document, kind: SectionKind) -> tuple[Document, Section]:
    """Return the document with a new group or persona, and where it is."""
    changed = deepcopy(document)
    owners = _list(changed, kind)
    taken = [each.get("name") for each in owners]
    names = (f"New {kind.value}{f' {i}' if i else ''}" for i in range(len(owners) + 1))
    owner: Document = {"name": next(name for name in names if name not in taken), "rules": []}
    if kind is SectionKind.GROUP:
        owner["cap"] = NEW_CAP
    owners.append(owner)
    return changed, Section(kind, len(owners) - 1)


def with_settings(document: Document, section: Section, settings: Document) -> Document:
    """Return the document with a group's or a persona's settings; its rules stay."""
    changed = deepcopy(document)
    owners = _list(changed, section.kind)
    owners[section.place] = {**settings, "rules": rules_of(changed, section)}
    return changed


def without_section(document: Document, section: Section) -> Document:
    """Return the document without a group or a persona."""
    changed = deepcopy(document)
    del _list(changed, section.kind)[section.place]
    return changed


def with_section_moved(document: Document, section: Section, to: int) -> Document:
    """Return the document with a group or a persona at another place."""
    changed = deepcopy(document)
    _move(_list(changed, section.kind), section.place, to)
    return changed


def with_cell(document: Document, cell: str) -> Document:
    """Return the document with one cell of the grid in the MQL definition, or out of it."""
    changed = deepcopy(document)
    cells = changed["mql"].get("cells")
    known = [each for each in cells if isinstance(each, str)] if isinstance(cells, list) else []
    kept = set(known) ^ {cell}
    changed["mql"]["cells"] = sorted(kept)
    return changed


def _move(items: list[Any], place: int, to: int) -> None:
    items.insert(min(max(to, 0), len(items) - 1), items.pop(place))
