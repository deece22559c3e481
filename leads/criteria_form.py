"""The editor of a whole tree of criteria, as a part of a larger form.

The tree travels with the form; each of its buttons sends the form with ``criteria_do``, and the
server answers with the form as it is then. One comparison is open at a time, in the same controls
as a filter of the lead list; it joins the tree whenever the form is sent with a value that fits.
A place in the tree is written as indices with dots: ``1.0`` is the first part of the second part.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from crm.common.criteria import CriteriaInvalid, fields, parse, sentence
from crm.common.criteria.fields import WORDS
from leads.leaf_editing import FieldGroup, LeafEditor, field_menu, offered_op

HOWS = {"all": "all of", "any": "any of", "none": "none of"}
DEEPEST = 4
_NEW = "+"

Place = tuple[int, ...]


@dataclass(frozen=True)
class Branch:
    """``all``, ``any`` or ``none`` of smaller trees; a leaf is the JSON object itself."""

    how: str
    parts: tuple[Node, ...]


Node = Branch | Mapping[str, Any]


def opened(tree: Any) -> Branch:
    """Return any tree as one of branches; what it means stays the same."""
    node = _opened(tree) if tree else Branch("all", ())
    return node if isinstance(node, Branch) else Branch("all", (node,))


def _opened(tree: Any) -> Node:
    if not isinstance(tree, dict):
        return {"field": str(tree)[:60]}
    for how in ("all", "any"):
        if isinstance(tree.get(how), list):
            return Branch(how, tuple(map(_opened, tree[how])))
    if "not" not in tree:
        return tree
    inner = _opened(tree["not"])
    is_any = isinstance(inner, Branch) and inner.how == "any"
    return Branch("none", inner.parts if is_any else (inner,))  # type: ignore[union-attr]  # is_any


def closed(node: Node) -> Any:
    """Return branches as a tree; those that hold nothing are left out, ``{}`` is nothing at all."""
    if not isinstance(node, Branch):
        return node
    parts = [part for part in map(closed, node.parts) if part]
    if not parts:
        return {}
    if node.how == "none":
        return {"not": parts[0] if len(parts) == 1 else {"any": parts}}
    return {node.how: parts}


@dataclass(frozen=True)
class TreeLine:
    """What the page shows of one part: a comparison in words, or the head of a branch."""

    place: str
    words: str = ""
    problem: str = ""
    how: str = ""
    parts: tuple[TreeLine, ...] = ()
    may_nest: bool = False
    is_open: bool = False


@dataclass(frozen=True)
class CriteriaForm:
    """A tree as it is edited: ``at`` is the place that is open, with its editor or the menu.

    ``without`` is a heading of fields that the menu does not offer.
    """

    tree: Any
    at: str = ""
    editor: LeafEditor | None = None
    without: str = ""

    @property
    def text(self) -> str:
        """Return the tree as it travels with the form."""
        return json.dumps(self.tree)

    @property
    def hows(self) -> list[tuple[str, str]]:
        """Return what a branch can be, in words."""
        return list(HOWS.items())

    @property
    def menu(self) -> Sequence[FieldGroup]:
        """Return what can be asked, while that is to be chosen."""
        if not self.at or self.editor:
            return ()
        return [group for group in field_menu() if group.name != self.without]

    @property
    def ops(self) -> list[tuple[str, str]]:
        """Return the comparisons that the open field offers."""
        return (
            [(op.value, WORDS[op]) for op in self.editor.field.allowed_ops] if self.editor else []
        )

    @property
    def root(self) -> TreeLine:
        """Return the lines of the tree."""
        return self._line(opened(self.tree), ())

    def _line(self, node: Node, at: Place) -> TreeLine:
        place = _spelt(at)
        if isinstance(node, Branch):
            parts = tuple(self._line(part, (*at, i)) for i, part in enumerate(node.parts))
            is_open = self.at in {_spelt((*at, _NEW)), _spelt((*at, _NEW, _NEW))}
            may_nest = len(at) + 1 < DEEPEST
            return TreeLine(place, "", "", node.how, parts, may_nest=may_nest, is_open=is_open)
        try:
            return TreeLine(place, sentence(parse(dict(node))), is_open=self.at == place)
        except CriteriaInvalid as invalid:
            problem = invalid.problems[0][1]
            return TreeLine(place, "Cannot be read", problem, is_open=self.at == place)


def read_criteria(params: QueryDict, *, before: Any = None, without: str = "") -> CriteriaForm:
    """Return the tree of a form that was sent, after what its button asks for.

    Args:
        params: what was sent.
        before: the tree as it is kept; returned as it stands where nothing was changed.
        without: a heading of fields that the menu does not offer.
    """
    form = _acted(_applied(_sent(params, before), params), params)
    is_same = before is not None and form.tree == closed(opened(before))
    return replace(form, tree=before if is_same else form.tree, without=without)


def _acted(form: CriteriaForm, params: QueryDict) -> CriteriaForm:
    """Return the form after its button; a comparison that does not fit has to be mended first."""
    act, _, rest = params.get("criteria_do", "").partition(":")
    if act not in _ACTS or (form.editor and form.editor.problem):
        return form
    return _ACTS[act](form, rest, params)


def _sent(params: QueryDict, before: Any) -> CriteriaForm:
    """Return the form as it was when it was shown, its editor filled in as it was sent."""
    try:
        tree = closed(opened(json.loads(params.get("criteria", "null"))))
    except (ValueError, RecursionError):
        tree = closed(opened(before))
    field = fields.get(params.get("criteria_open", ""))
    if field is None:
        return CriteriaForm(tree)
    editor = LeafEditor(field, offered_op(field, params.get("criteria_op")), [])
    values = _as_values(editor.leaf(params).get("value", []))
    return CriteriaForm(tree, params.get("criteria_at", ""), replace(editor, values=values))


def _as_values(raw: Any) -> list[str]:
    """Return the value of a leaf as the editor is filled in with it."""
    if isinstance(raw, bool):
        return ["yes" if raw else "no"]
    return [str(each) for each in raw] if isinstance(raw, list) else [str(raw)]


def _applied(form: CriteriaForm, params: QueryDict) -> CriteriaForm:
    """Return the form with its open comparison in the tree; the editor stays if it does not fit."""
    act = params.get("criteria_do", "").partition(":")[0]
    if not form.editor or act in {"cancel", "op"}:
        return form
    leaf = form.editor.leaf(params)
    try:
        parse(leaf)
    except CriteriaInvalid as invalid:
        return replace(form, editor=replace(form.editor, problem=invalid.problems[0][1]))
    return CriteriaForm(closed(_put(opened(form.tree), form.at, leaf)))


def _edit(form: CriteriaForm, rest: str, _params: QueryDict) -> CriteriaForm:
    node = _at(opened(form.tree), _place(rest))
    field = None if isinstance(node, Branch | None) else fields.get(str(node.get("field")))
    if field is None or not isinstance(node, Mapping):
        return form
    op = offered_op(field, node.get("op"))
    return CriteriaForm(form.tree, rest, LeafEditor(field, op, _as_values(node.get("value", []))))


def _remove(form: CriteriaForm, rest: str, _params: QueryDict) -> CriteriaForm:
    return CriteriaForm(closed(_without(opened(form.tree), _place(rest))))


def _how(form: CriteriaForm, rest: str, _params: QueryDict) -> CriteriaForm:
    place, _, how = rest.rpartition(":")
    if how not in HOWS:
        return form
    return CriteriaForm(closed(_with_how(opened(form.tree), _place(place), how)))


def _add(form: CriteriaForm, rest: str, _params: QueryDict) -> CriteriaForm:
    return CriteriaForm(form.tree, _spelt((*_place(rest), _NEW)))


def _group(form: CriteriaForm, rest: str, _params: QueryDict) -> CriteriaForm:
    """Open the menu for a branch that comes to be with its first comparison."""
    return CriteriaForm(form.tree, _spelt((*_place(rest), _NEW, _NEW)))


def _field(form: CriteriaForm, rest: str, params: QueryDict) -> CriteriaForm:
    field = fields.get(params.get("criteria_field", ""))
    if field is None:
        return CriteriaForm(form.tree, rest)
    return CriteriaForm(form.tree, rest, LeafEditor(field, field.allowed_ops[0], []))


def _op(form: CriteriaForm, rest: str, _params: QueryDict) -> CriteriaForm:
    if not form.editor:
        return form
    return replace(form, editor=replace(form.editor, op=offered_op(form.editor.field, rest)))


def _cancel(form: CriteriaForm, _rest: str, _params: QueryDict) -> CriteriaForm:
    return CriteriaForm(form.tree)


_ACTS = {
    "edit": _edit,
    "remove": _remove,
    "how": _how,
    "add": _add,
    "group": _group,
    "field": _field,
    "op": _op,
    "cancel": _cancel,
}


def _place(text: str) -> Place:
    """Return the indices of a place; a damaged one is the root."""
    parts = text.split(".") if text else []
    return tuple(map(int, parts)) if all(p.isdecimal() and len(p) < 4 for p in parts) else ()


def _spelt(at: Sequence[int | str]) -> str:
    return ".".join(map(str, at))


def _at(node: Node, at: Place) -> Node | None:
    for place in at:
        if not isinstance(node, Branch) or place >= len(node.parts):
            return None
        node = node.parts[place]
    return node


def _put(root: Node, at: str, leaf: Mapping[str, Any]) -> Node:
    """Return the tree with a leaf: ``1.+`` is new in a branch, ``+.+`` in one of its own."""
    steps = at.split(".")
    news = steps.count(_NEW)
    place = _place(".".join(step for step in steps if step != _NEW))
    if not news:
        return _changed(root, place, lambda _: leaf)
    added: Node = Branch("any", (leaf,)) if news > 1 else leaf
    return _changed(root, place, lambda node: _grown(node, added))


def _grown(node: Node, part: Node) -> Node:
    return replace(node, parts=(*node.parts, part)) if isinstance(node, Branch) else node


def _changed(node: Node, at: Place, change: Callable[[Node], Node]) -> Node:
    """Return the tree with the node at ``at`` changed, if there is one."""
    if not at:
        return change(node)
    if not isinstance(node, Branch) or at[0] >= len(node.parts):
        return node
    parts = list(node.parts)
    parts[at[0]] = _changed(parts[at[0]], at[1:], change)
    return replace(node, parts=tuple(parts))


def _without(root: Node, at: Place) -> Node:
    return _changed(root, at[:-1], lambda node: _less(node, at[-1])) if at else root


def _less(node: Node, drop: int) -> Node:
    if not isinstance(node, Branch):
        return node
    return replace(node, parts=(*node.parts[:drop], *node.parts[drop + 1 :]))


def _with_how(root: Node, at: Place, how: str) -> Node:
    def changed(node: Node) -> Node:
        return replace(node, how=how) if isinstance(node, Branch) else node

    return _changed(root, at, changed)
