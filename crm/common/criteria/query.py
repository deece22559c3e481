"""Trees in addresses: ``?f=stage.in.MQL,SAL&f=country.in.DE`` is ``all`` of its parts.

A part that is no single comparison stands there as JSON: ``?f={"any":[...]}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from crm.common.criteria.fields import BARE_OPS, WORDS, Kind, Op, fields
from crm.common.criteria.tree import Criteria, Group, Leaf, parse, words_of
from crm.common.typed_json import ShallowDecoder

_HEADS = {"all": "All of", "any": "Any of", "not": "None of"}


@dataclass(frozen=True)
class Chip:
    """One removable condition above a list; ``query`` is its ``f`` value."""

    field: str
    label: str
    op_words: str
    value_words: str
    query: str


def from_query(parts: Iterable[str]) -> Criteria:
    """Return the criteria that ``f`` parameters spell.

    Raises:
        CriteriaInvalid: with one problem per parameter that cannot be read.
    """
    trees = [_tree_of(part) for part in parts if part]
    if len(trees) == 1:
        return parse(trees[0])
    return parse({"all": trees} if trees else {})


def to_query(criteria: Criteria) -> list[str]:
    """Return the ``f`` parameters of a tree."""
    return [_spell(part) for part in _parts(criteria)]


def chips(criteria: Criteria) -> list[Chip]:
    """Return the row of chips of a tree: one for each part that can be taken away."""
    return [_chip(part) for part in _parts(criteria)]


def top_leaves(criteria: Criteria) -> list[Leaf]:
    """Return the comparisons that every lead of the list passes."""
    return [part for part in _parts(criteria) if isinstance(part, Leaf)]


def _chip(part: Leaf | Group) -> Chip:
    if isinstance(part, Group):
        [inner] = part.parts if part.how == "not" else [part]
        return Chip("", _HEADS[part.how], "", words_of(inner), _spell(part))
    said = part.field.value_words(part.op, part.raw)
    return Chip(part.field.name, part.field.label, WORDS[part.op], said, _spell(part))


def _tree_of(part: str) -> Any:
    """Return one ``f`` as a tree; whatever is wrong with it is said by ``parse``."""
    if not part.startswith("{"):
        return _leaf_tree(part)
    try:
        return json.loads(part, cls=ShallowDecoder)
    except ValueError:
        return part


def _leaf_tree(part: str) -> dict[str, Any]:
    """Return ``country.in.DE,AT`` as a leaf."""
    name, _, rest = part.partition(".")
    op, _, raw = rest.partition(".")
    leaf: dict[str, Any] = {"field": name, "op": op}
    if op in list(BARE_OPS):
        return leaf
    asked = fields.get(name)
    is_list = asked is not None and asked.kind is Kind.CHOICE
    return {**leaf, "value": [unquote(code) for code in raw.split(",")] if is_list else raw}


def _parts(criteria: Criteria) -> tuple[Leaf | Group, ...]:
    """Return what all must fit: the parts of an ``all``, else the one tree there is."""
    root = criteria.root
    if root is None:
        return ()
    return root.parts if isinstance(root, Group) and root.how == "all" else (root,)


def _spell(part: Leaf | Group) -> str:
    if isinstance(part, Group):
        return json.dumps(part.tree, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if part.op in BARE_OPS:
        return f"{part.field.name}.{part.op}"
    return f"{part.field.name}.{Op(part.op)}.{_written(part)}"


def _written(leaf: Leaf) -> str:
    """Return the value of a leaf as an address has it; a stored tree has it as JSON."""
    if leaf.field.kind is Kind.CHOICE:
        codes = [leaf.raw] if isinstance(leaf.raw, str) else leaf.raw
        return ",".join(map(_escape, codes))
    if isinstance(leaf.raw, bool):
        return "yes" if leaf.raw else "no"
    return str(leaf.raw)


def _escape(code: str) -> str:
    """Return a choice so that a comma inside it does not end it."""
    return code.replace("%", "%25").replace(",", "%2C")
