"""The editor of one filter: from an address to its controls, and from their values to a filter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from django.http import QueryDict
from django.utils.http import urlencode

from crm.common.criteria import (
    CriteriaInvalid,
    Field,
    Kind,
    Op,
    fields,
    from_query,
    parse,
    to_query,
)
from crm.common.criteria.fields import BARE_OPS, SINCE_WORDS, WORDS, Choices
from crm.common.criteria.values import period_words
from leads.fields import present_values
from leads.listing import ListAddress

#: Choices beyond this are offered only when some lead has them, or they are chosen.
MANY_CHOICES = 40
_SPANS = (Op.WITHIN, Op.NOT_WITHIN, Op.COMING)
_UNITS = (("d", "days"), ("w", "weeks"), ("h", "hours"))
#: Headings of the filter menu that come first; others follow as their apps were loaded.
_FIRST_GROUPS = ("Lifecycle", "Score", "Engagement", "Sales", "Work", "Source", "Lead")


@dataclass(frozen=True)
class OpChoice:
    """One comparison the field offers, and the address of the editor with it."""

    words: str
    query: str
    is_current: bool


@dataclass(frozen=True)
class FilterEditor:
    """What the editor shows. ``control`` names its kind of input, ``values`` are filled in."""

    field: Field
    op: Op
    values: list[str]
    replaces: str
    address: ListAddress
    problem: str = ""

    @property
    def control(self) -> str:
        """Return which input the comparison takes."""
        if self.op in BARE_OPS:
            return "none"
        if self.field.kind is Kind.DATE:
            return "span" if self.op in _SPANS else "since" if self.op is Op.SINCE else "date"
        return str(self.field.kind.value)

    @property
    def value(self) -> str:
        """Return the only value; empty without one."""
        return self.values[0] if self.values else ""

    @property
    def parts(self) -> list[str]:
        """Return the values of a control with several inputs, empty where nothing was said."""
        return [*self.value.split(":"), "", "", ""]

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

    @property
    def choices(self) -> Choices:
        """Return the choices to tick: of very many, those that some lead has."""
        offered = self.field.choices() if self.field.choices else []
        if self.field.is_open:
            known = {code for code, _ in offered}
            offered = [*offered, *((code, code) for code in self.values if code not in known)]
        if len(offered) <= MANY_CHOICES or self.field.name != "country":
            return offered
        present = {*present_values(self.field.name), *self.values}
        return [choice for choice in offered if choice[0] in present]

    @property
    def since_choices(self) -> Choices:
        """Return the named starts."""
        return list(SINCE_WORDS.items())

    @property
    def span(self) -> tuple[str, str]:
        """Return number and unit of ``7d``."""
        is_span = self.value[-1:] in dict(_UNITS) and self.value[:-1].isdigit()
        return (self.value[:-1], self.value[-1]) if is_span else ("7", "d")

    @property
    def spans(self) -> Choices:
        """Return usual spans before now, and the one in force."""
        usual = ("24h", "7d", "14d", "30d", "90d", "365d", self.parts[2])
        return [(span, period_words(span)) for span in dict.fromkeys(usual) if span]

    @property
    def units(self) -> Choices:
        """Return the units of a span."""
        return _UNITS


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
    asked = params.get("op") or op_code
    is_offered = asked in {op.value for op in field.allowed_ops}
    op = Op(asked) if is_offered else field.allowed_ops[0]
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
        criteria = from_query([query])
    except CriteriaInvalid:
        return []
    leaf = criteria.tree["all"][0] if criteria.tree else {}
    raw = leaf.get("value", [])
    return list(raw) if isinstance(raw, list) else [str(raw)]


def spell_filter(editor: FilterEditor, params: QueryDict) -> str:
    """Return the ``f`` parameter for what was filled in.

    Raises:
        CriteriaInvalid: when the value does not fit; its first problem is a sentence.
    """
    leaf: dict[str, object] = {"field": editor.field.name, "op": editor.op.value}
    if editor.control == "span":
        leaf["value"] = f"{params.get('value', '')}{params.get('unit', '')}"
    elif editor.control == "choice":
        leaf["value"] = params.getlist("value")
    elif editor.control == "custom":
        leaf["value"] = ":".join(params.getlist("value")).rstrip(":")
    elif editor.control != "none":
        leaf["value"] = params.get("value", "")
    return to_query(parse({"all": [leaf]}))[0]


def put_filter(filters: Sequence[str], new: str, *, replaces: str) -> list[str]:
    """Return ``filters`` with ``new`` in the place of ``replaces``, else at the end, once."""
    if replaces in filters:
        return [new if each == replaces else each for each in filters]
    return list(dict.fromkeys([*filters, new]))


@dataclass(frozen=True)
class FieldGroup:
    """One heading of the filter menu with its fields."""

    name: str
    fields: list[Field]


def filter_menu() -> list[FieldGroup]:
    """Return every field that has an editor, by heading."""
    return _grouped(field for field in fields if field.kind is not Kind.CUSTOM or field.control)


def _grouped(offered: Iterable[Field]) -> list[FieldGroup]:
    known = list(offered)
    order = list(dict.fromkeys([*_FIRST_GROUPS, *(field.group for field in known)]))
    known.sort(key=lambda field: order.index(field.group))
    return [
        FieldGroup(name, list(group)) for name, group in groupby(known, key=lambda each: each.group)
    ]
