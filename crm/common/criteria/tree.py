"""Trees of criteria: checked once, then compiled to a ``Q`` or printed as a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from crm.common.criteria.fields import BARE_OPS, WORDS, Field, Op, ValueInvalid, fields

DEEPEST = 6
MOST_LEAVES = 60
_NOTHING: Q = Q(pk__in=[])


class CriteriaInvalid(Exception):
    """A tree cannot be used; ``problems`` lists (path, sentence) for each fault."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        """Compose one message from all problems."""
        super().__init__("; ".join(f"{path}: {sentence}" for path, sentence in problems))
        self.problems = problems


@dataclass(frozen=True)
class Leaf:
    """One comparison: the field, the comparison, the value as written and as typed."""

    field: Field
    op: Op
    raw: Any
    value: Any


@dataclass(frozen=True)
class Group:
    """``all``, ``any`` or ``not`` of smaller trees; ``tree`` is how it was written."""

    how: str
    parts: tuple[Leaf | Group, ...]
    tree: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Criteria:
    """A checked tree. ``root`` is None when every lead fits."""

    root: Leaf | Group | None
    tree: Mapping[str, Any] = field(default_factory=dict)


def parse(tree: Any) -> Criteria:
    """Check ``tree`` and return it ready for use.

    Raises:
        CriteriaInvalid: naming every fault with its path, such as ``all[1].value``.
    """
    if tree in ({}, None):
        return Criteria(None)
    problems: list[tuple[str, str]] = []
    root = _read(tree, "", 1, problems)
    if root is not None and sum(1 for _ in _leaves(root)) > MOST_LEAVES:
        problems.append(("", f"has more than {MOST_LEAVES} conditions"))
    if problems or root is None:
        raise CriteriaInvalid(problems)
    return Criteria(root, tree)


def compile_q(criteria: Criteria, *, now: datetime, of_all: bool = False) -> Q:
    """Return the filter over Lead; relative dates count from ``now``.

    ``of_all`` says that it is asked of all leads, as lists do: the answer is the same, but fields
    may know a quicker way to it than looking at one lead after the other.
    """
    return Q() if criteria.root is None else _compile(criteria.root, now, of_all)


def leaves(criteria: Criteria) -> Iterator[Leaf]:
    """Go through the comparisons of a tree."""
    return _leaves(criteria.root) if criteria.root else iter(())


def used_fields(criteria: Criteria) -> set[str]:
    """Return the names of the fields the tree asks for."""
    return {leaf.field.name for leaf in leaves(criteria)}


def sentence(criteria: Criteria) -> str:
    """Return the tree in words: ``Stage is MQL and Country is not Germany``."""
    return "Every lead" if criteria.root is None else words_of(criteria.root)


def words_of(part: Leaf | Group) -> str:
    """Return one part of a tree in words, as if it stood alone."""
    return _words(part, outer=True)


def _read(tree: Any, path: str, depth: int, problems: list[tuple[str, str]]) -> Leaf | Group | None:
    """Return the node, or None after adding what is wrong with it to ``problems``."""
    if not isinstance(tree, dict):
        problems.append((path, "needs an object with all, any, not or field"))
        return None
    if depth > DEEPEST:
        problems.append((path, f"is nested deeper than {DEEPEST} levels"))
        return None
    if "field" in tree:
        return _read_leaf(tree, path, problems)
    how = next(iter(tree), "")
    if len(tree) != 1 or how not in {"all", "any", "not"}:
        problems.append((path, "needs exactly one of all, any, not or field"))
        return None
    return _read_group(how, tree[how], f"{path}.{how}" if path else how, depth, problems)


def _read_group(
    how: str, content: Any, path: str, depth: int, problems: list[tuple[str, str]]
) -> Group | None:
    """Return ``all``, ``any`` or ``not`` with its parts."""
    if how == "not":
        part = _read(content, path, depth + 1, problems)
        return Group(how, (part,), {how: content}) if part else None
    if not isinstance(content, list) or not content or len(content) > MOST_LEAVES:
        problems.append((path, f"needs a list of 1 to {MOST_LEAVES} conditions"))
        return None
    parts = [_read(each, f"{path}[{i}]", depth + 1, problems) for i, each in enumerate(content)]
    return Group(how, tuple(part for part in parts if part), {how: content})


def _read_leaf(tree: dict[str, Any], path: str, problems: list[tuple[str, str]]) -> Leaf | None:
    """Return one comparison."""
    dot = f"{path}." if path else ""
    unknown = set(tree) - {"field", "op", "value"}
    if unknown:
        problems.append((path, f"does not know {', '.join(sorted(map(str, unknown)))}"))
        return None
    asked = fields.get(tree["field"]) if isinstance(tree["field"], str) else None
    if asked is None:
        problems.append((f"{dot}field", f"there is no field {str(tree['field'])[:60]!r}"))
        return None
    if tree.get("op") not in list(asked.allowed_ops):
        offered = ", ".join(asked.allowed_ops)
        problems.append((f"{dot}op", f"{asked.label} offers {offered}"))
        return None
    op = Op(tree["op"])
    try:
        return Leaf(asked, op, tree.get("value"), asked.read_value(op, tree.get("value")))
    except ValueInvalid as error:
        problems.append((f"{dot}value", f"{asked.label} {error}"))
        return None


def _leaves(node: Leaf | Group) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
        return
    for part in node.parts:
        yield from _leaves(part)


def _compile(node: Leaf | Group, now: datetime, of_all: bool = False) -> Q:
    """Return the filter of a part; ``of_all`` goes no deeper than what all leads found must fit."""
    if isinstance(node, Leaf):
        asked = (of_all and node.field.q_of_all) or node.field.q
        return asked(node.op, node.value, now)
    if node.how == "not":
        return ~(_compile(node.parts[0], now) or ~_NOTHING)
    if node.how == "all":
        result = Q()
        for part in node.parts:
            result &= _compile(part, now, of_all)
        return result
    return _any(node, now)


def _any(node: Group, now: datetime) -> Q:
    """Return the alternatives as one filter; one that every lead fits makes the whole so."""
    result = _NOTHING
    for part in node.parts:
        compiled = _compile(part, now)
        if not compiled:
            return Q()
        result |= compiled
    return result


def _words(node: Leaf | Group, *, outer: bool = False) -> str:
    if isinstance(node, Leaf):
        verb = WORDS[node.op]
        if node.op in BARE_OPS:
            return f"{node.field.label} {verb}"
        return f"{node.field.label} {verb} {node.field.value_words(node.op, node.raw)}"
    if node.how == "not":
        return f"not ({_words(node.parts[0], outer=True)})"
    joined = (" and " if node.how == "all" else " or ").join(_words(part) for part in node.parts)
    return joined if outer or len(node.parts) == 1 else f"({joined})"
