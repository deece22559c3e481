"""The editor of one filter: from an address to its controls, and from their values to a filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils.http import urlencode

from crm.common.criteria import CriteriaInvalid, fields, from_query, leaves, parse, to_query
from crm.common.criteria.fields import WORDS
from leads.leaf_editing import LeafEditor, offered_op
from leads.list_address import ListAddress


@dataclass(frozen=True)
class OpChoice:
    """One comparison the field offers, and the address of the editor with it."""

    words: str
    query: str
    is_current: bool


@dataclass(frozen=True)
class FilterEditor(LeafEditor):
    """The editor of one filter of a list, which it replaces or joins."""

    replaces: str
    address: ListAddress

    @property
    def ops(self) -> list[OpChoice]:
        """Return the comparisons as links to the same editor."""
        kept = [*self.address.pairs, ("field", self.field.name)]
        kept += [("replaces", self.replaces)] if self.replaces else []
        kept += [("value", each) for each in self.values]
        return [
            OpChoice(WORDS[op], urlencode([*kept, ("op", op.value)]), op is self.op)
            for op in self.field.allowed_ops
        ]


def read_editor(params: QueryDict, address: ListAddress) -> FilterEditor | None:
    """Return the editor that ``params`` ask for; None when they name no field.

    ``edit=country.in.DE`` opens a filter of the list, ``field=country`` a new one.
    """
    replaces = params.get("edit") or params.get("replaces", "")
    name, _, rest = replaces.partition(".")
    field = fields.get(params.get("field") or name)
    if field is None:
        return None
    op_code, _, _ = rest.partition(".")
    op = offered_op(field, params.get("op") or op_code)
    values = params.getlist("value") or _values_of(replaces)
    editor = FilterEditor(field, op, values, replaces if rest else "", address)
    return replace(editor, problem=_problem(editor, params)) if "apply" in params else editor


def _problem(editor: FilterEditor, params: QueryDict) -> str:
    """Return why what was filled in is no filter; empty when it is one."""
    try:
        spell_filter(editor, params)
    except CriteriaInvalid as invalid:
        return invalid.problems[0][1]
    return ""


def _values_of(query: str) -> list[str]:
    """Return the values of a filter as its address spells it."""
    try:
        [leaf] = leaves(from_query([query]))
    except (CriteriaInvalid, ValueError):  # no comparison, or several
        return []
    return list(leaf.raw) if isinstance(leaf.raw, list) else [str(leaf.raw or "")]


def spell_filter(editor: FilterEditor, params: QueryDict) -> str:
    """Return the ``f`` parameter for what was filled in.

    Raises:
        CriteriaInvalid: when the value does not fit; its first problem is a sentence.
    """
    return to_query(parse(editor.leaf(params)))[0]


def put_filter(filters: Sequence[str], new: str, *, replaces: str) -> list[str]:
    """Return ``filters`` with ``new`` in the place of ``replaces``, else at the end, once."""
    if replaces in filters:
        return [new if each == replaces else each for each in filters]
    return list(dict.fromkeys([*filters, new]))
