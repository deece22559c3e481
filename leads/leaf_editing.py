"""The editor of one comparison: the controls it takes, and what was filled in as a leaf."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from itertools import groupby

from django.http import QueryDict

from crm.common.criteria import Field, Kind, Op, fields
from crm.common.criteria.fields import BARE_OPS, SINCE_WORDS, Choices
from crm.common.criteria.values import period_words
from leads.fields import present_codes

#: Choices beyond this are offered only when some lead has them, or they are chosen.
MANY_CHOICES = 40
_SPANS = (Op.WITHIN, Op.NOT_WITHIN, Op.COMING)
_UNITS = (("d", "days"), ("w", "weeks"), ("h", "hours"))
#: Headings of the menu that come first; others follow as their apps were loaded.
_FIRST_GROUPS = ("Lifecycle", "Score", "Engagement", "Sales", "Work", "Source", "Lead")


@dataclass(frozen=True)
class LeafEditor:
    """What the editor shows. ``control`` names its kind of input, ``values`` are filled in."""

    field: Field
    op: Op
    values: list[str]
    _: KW_ONLY
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
        return [*self.value.split(":"), "", "", "", ""]

    @property
    def choices(self) -> Choices:
        """Return the choices to tick: of very many, those that some lead has."""
        offered = self.field.choices() if self.field.choices else []
        if self.field.is_open:
            known = {code for code, _ in offered}
            offered = [*offered, *((code, code) for code in self.values if code not in known)]
        if len(offered) <= MANY_CHOICES or self.field.name != "country":
            return offered
        present = {*present_codes(self.field.name), *self.values}
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

    def leaf(self, params: QueryDict) -> dict[str, object]:
        """Return the comparison that was filled in, as a tree; ``parse`` says what is wrong."""
        leaf: dict[str, object] = {"field": self.field.name, "op": self.op.value}
        if self.control == "span":
            leaf["value"] = f"{params.get('value', '')}{params.get('unit', '')}"
        elif self.control == "choice":
            leaf["value"] = params.getlist("value")
        elif self.control == "custom":
            leaf["value"] = ":".join(params.getlist("value")).rstrip(":")
        elif self.control != "none":
            leaf["value"] = params.get("value", "")
        return leaf


def offered_op(field: Field, asked: str | None) -> Op:
    """Return the comparison asked for, the field's first when it does not offer that."""
    return Op(asked) if asked in {op.value for op in field.allowed_ops} else field.allowed_ops[0]


@dataclass(frozen=True)
class FieldGroup:
    """One heading of the menu with its fields."""

    name: str
    fields: list[Field]


def field_menu() -> list[FieldGroup]:
    """Return every field that has an editor, by heading."""
    known = [field for field in fields if field.kind is not Kind.CUSTOM or field.control]
    order = list(dict.fromkeys([*_FIRST_GROUPS, *(field.group for field in known)]))
    known.sort(key=lambda field: order.index(field.group))
    return [
        FieldGroup(name, list(group)) for name, group in groupby(known, key=lambda each: each.group)
    ]
