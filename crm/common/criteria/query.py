"""Trees in addresses: ``?f=stage.in.MQL,SAL&f=country.in.DE`` is ``all`` of its leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from crm.common.criteria.fields import BARE_OPS, WORDS, Kind, Op, fields
from crm.common.criteria.tree import Criteria, CriteriaInvalid, Group, Leaf, parse


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
    leaves = [_leaf_tree(part) for part in parts if part]
    return parse({"all": leaves} if leaves else {})


def to_query(criteria: Criteria) -> list[str]:
    """Return the ``f`` parameters of a flat tree.

    Raises:
        CriteriaInvalid: for a tree with ``any`` or ``not``, which an address cannot carry.
    """
    return [_spell(leaf) for leaf in _flat(criteria)]


def chips(criteria: Criteria) -> list[Chip]:
    """Return the row of chips of a flat tree."""
    return [
        Chip(
            field=leaf.field.name,
            label=leaf.field.label,
            op_words=WORDS[leaf.op],
            value_words=leaf.field.value_words(leaf.op, leaf.raw),
            query=_spell(leaf),
        )
        for leaf in _flat(criteria)
    ]


def _leaf_tree(part: str) -> dict[str, Any]:
    """Return ``country.in.DE,AT`` as a leaf; whatever is wrong with it is said by ``parse``."""
    name, _, rest = part.partition(".")
    op, _, raw = rest.partition(".")
    leaf: dict[str, Any] = {"field": name, "op": op}
    if op in list(BARE_OPS):
        return leaf
    asked = fields.get(name)
    is_list = asked is not None and asked.kind is Kind.CHOICE
    return {**leaf, "value": [unquote(code) for code in raw.split(",")] if is_list else raw}


def _flat(criteria: Criteria) -> list[Leaf]:
    """Return the leaves of a tree that is one leaf or ``all`` of leaves."""
    root = criteria.root
    if root is None:
        return []
    parts = root.parts if isinstance(root, Group) and root.how == "all" else (root,)
    leaves = [part for part in parts if isinstance(part, Leaf)]
    if len(leaves) != len(parts):
        raise CriteriaInvalid([("", "any and not cannot be written into an address")])
    return leaves


def _spell(leaf: Leaf) -> str:
    if leaf.op in BARE_OPS:
        return f"{leaf.field.name}.{leaf.op}"
    return f"{leaf.field.name}.{Op(leaf.op)}.{_written(leaf)}"


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
