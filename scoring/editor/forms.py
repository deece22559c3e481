"""The parts of a document as forms.

A form has no rules of its own: what is typed goes into the draft as it stands, and the faults that
``parse_definition`` then finds are shown beside the fields they are about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Layout
from django import forms
from django.http import QueryDict

from crm.accounts.forms import PlainForm
from crm.common.instants import validate_instant
from engagement.criteria import asset_choices
from engagement.enums import EventKind, FunnelStage
from leads.criteria_form import CriteriaForm, read_criteria
from scoring.definition import Problem
from scoring.definition.reading import SCORE_GROUP
from scoring.editor.document import Document, SectionKind

#: More than any limit of the document, so that its own faults are told.
_LONGEST = 1_000
_NUMBER = re.compile(r"[-+]?\d{1,15}(\.\d{1,10})?")
_COUNTINGS = {"": "every time", "once_per_asset": "once per asset", "first_only": "once per lead"}
_TESTS = {"equals": "is", "at_least": "is at least"}


def typed(text: str) -> Any:
    """Return a number where one was typed, else the text: what is wrong with it is said later."""
    minus = text.replace("−", "-")
    if not _NUMBER.fullmatch(minus):
        return text
    number = float(minus)
    return int(number) if number.is_integer() else number


def _text(label: str, **options: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=_LONGEST, **options)


def _figure(label: str, **options: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return _text(label, widget=widget, **options)


def _choice(label: str, choices: Iterable[tuple[str, str]] = ()) -> forms.CharField:
    """One of some values; another one that the document holds stays what it is."""
    return _text(label, widget=forms.Select(choices=list(choices)))


class PartForm(PlainForm):
    """One part of the document. ``places`` says which field a path of the part is told beside."""

    places: ClassVar[Mapping[str, str]] = {}
    rows: ClassVar[tuple[tuple[str, ...], ...]] = ()

    def __init__(self, data: QueryDict | None = None, *, part: Document) -> None:
        """Fill in the form with the part as the document has it."""
        self.part = part
        super().__init__(data, initial=self._initial())
        if data is None:
            next(iter(self.fields.values())).widget.attrs["autofocus"] = True

    def _initial(self) -> dict[str, Any]:
        return {name: self.part.get(name, "") for name in self.base_fields}

    @property
    def helper(self) -> FormHelper:
        """Return the layout: what belongs together shares a line."""
        helper = super().helper
        helper.layout = Layout(*(Div(*row, css_class="field-row") for row in self.rows))
        return helper

    def changed_part(self) -> Document:
        """Return the part as it was typed; what the form does not know of it stays."""
        said = {
            name: typed(value) if isinstance(value, str) else value
            for name, value in self.cleaned_data.items()
        }
        return _without_blanks({**self.part, **said})

    def tell(self, problems: Iterable[Problem], path: str) -> None:
        """Show the faults of the part at ``path`` beside the fields they are about."""
        for problem in problems:
            if not _is_within(problem.path, path):
                continue
            inner = problem.path[len(path) :].lstrip(".")
            self.add_error(self._field_of(inner), _sentence(problem))

    def _field_of(self, path: str) -> str | None:
        """Return the field for a path of the part, None when there is no field of its own."""
        while path:
            name = self.places.get(path, path)
            if name in self.fields:
                return name
            path = path.rpartition(".")[0]
        return None


def _is_within(path: str, outer: str) -> bool:
    return not outer or path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _sentence(problem: Problem) -> str:
    return f"{problem.sentence[:1].upper()}{problem.sentence[1:]}."


def _without_blanks(part: Document) -> Document:
    return {name: value for name, value in part.items() if value not in ("", {}, None)}


class ActRuleForm(PartForm):
    """A rule of engagement: which acts, and what they are worth."""

    label = _text("Name")
    kind = _choice("Act", [("", "Any act"), *EventKind.choices])
    asset = _choice("Asset")
    funnel_stage = _choice("Funnel stage", [("", "Any"), *FunnelStage.choices])
    name = _text("Event or page name")
    property_name = _text("Property")
    property_test = _choice("Comparison", _TESTS.items())
    property_value = _text("Value")
    points = _figure("Points")
    half_life_days = _figure("Half-life in days", help_text="Empty: it never fades.")
    cap = _figure("At most in total", help_text="Empty: only the group's cap.")
    counting = _choice("Counts", _COUNTINGS.items())
    repeat_times = _figure("Only after so many times", help_text="Empty: each act counts.")
    repeat_days = _figure("Within days")
    different_assets = forms.BooleanField(label="On different assets", required=False)

    places = {
        "match": "kind", "match.kind": "kind", "match.asset": "asset",
        "match.funnel_stage": "funnel_stage", "match.name": "name",
        "match.property": "property_name", "match.property.name": "property_name",
        "match.property.equals": "property_value", "match.property.at_least": "property_value",
        "once_per_asset": "counting", "first_only": "counting", "repeat": "repeat_times",
        "repeat.times": "repeat_times", "repeat.days": "repeat_days",
        "repeat.different_assets": "different_assets",
    }  # fmt: skip
    rows = (
        ("label",),
        ("kind", "asset", "funnel_stage"),
        ("name", "property_name", "property_test", "property_value"),
        ("points", "half_life_days", "cap", "counting"),
        ("repeat_times", "repeat_days", "different_assets"),
    )

    def __init__(self, data: QueryDict | None = None, *, part: Document) -> None:
        """Offer the assets there are."""
        super().__init__(data, part=part)
        known = [("", "Any"), *asset_choices()]
        asset = self.initial["asset"]
        strange = [] if asset in dict(known) else [(asset, f"{asset} (unknown)")]
        self.fields["asset"].widget.choices = [*known, *strange]

    def _initial(self) -> dict[str, Any]:
        part = self.part
        match, repeat = (_object(part.get(key)) for key in ("match", "repeat"))
        test = _object(match.get("property"))
        comparison = "at_least" if "at_least" in test else "equals"
        return {
            "label": part.get("label", ""),
            **{name: match.get(name, "") for name in ("kind", "asset", "funnel_stage", "name")},
            "property_name": test.get("name", ""),
            "property_test": comparison,
            "property_value": _spelt(test.get(comparison, "")),
            **{name: part.get(name, "") for name in ("points", "half_life_days", "cap")},
            "counting": next((name for name in _COUNTINGS if name and part.get(name)), ""),
            "repeat_times": repeat.get("times", ""),
            "repeat_days": repeat.get("days", ""),
            "different_assets": repeat.get("different_assets") is True,
        }

    def changed_part(self) -> Document:
        """Return the rule as it was typed."""
        said = self.cleaned_data
        plain = {name: typed(said[name]) for name in ("points", "half_life_days", "cap")}
        counting = {name: name == said["counting"] or None for name in _COUNTINGS if name}
        match = {name: said[name] for name in ("kind", "asset", "funnel_stage", "name")}
        kept = _object(self.part.get("match"))
        return _without_blanks(
            {
                **self.part,
                "label": said["label"],
                **plain,
                **counting,
                "match": _without_blanks({**kept, **match, "property": self._property()}),
                "repeat": self._repeat(),
            }
        )

    def _property(self) -> Document:
        said = self.cleaned_data
        if not (said["property_name"] or said["property_value"]):
            return {}
        value = said["property_value"]
        if value != self.initial["property_value"]:
            value = _value(value)
        else:
            before = _object(_object(self.part.get("match")).get("property"))
            value = before.get(said["property_test"], _value(value))
        return {"name": said["property_name"], said["property_test"]: value}

    def _repeat(self) -> Document:
        said = self.cleaned_data
        if not (said["repeat_times"] or said["repeat_days"]):
            return {}
        times, days = typed(said["repeat_times"]), typed(said["repeat_days"])
        repeat = {"times": times, "days": days, "different_assets": said["different_assets"]}
        return {name: value for name, value in repeat.items() if value not in ("", False)}


def _object(value: Any) -> Document:
    return value if isinstance(value, dict) else {}


def _value(text: str) -> Any:
    """Return the value of a property: true, false, a number, a text; quotes make it a text."""
    if text[:1] == text[-1:] == '"' and len(text) > 1:
        return text[1:-1]
    return {"true": True, "false": False}.get(text, typed(text))


def _spelt(value: Any) -> str:
    """Return a value so that ``_value`` reads it as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f'"{text}"' if isinstance(value, str) and _value(text) != text else text


class CriteriaPartForm(PartForm):
    """A part that asks for leads: its criteria are edited beside its fields."""

    def __init__(self, data: QueryDict | None = None, *, part: Document) -> None:
        """Read the tree as it was sent, or as it is kept."""
        super().__init__(data, part=part)
        before = part.get("criteria") or {}
        self.criteria = (
            read_criteria(data, before=before, without=SCORE_GROUP)
            if data is not None
            else CriteriaForm(before, without=SCORE_GROUP)
        )

    def clean(self) -> None:
        """Refuse to be saved while a comparison is open that does not fit."""
        if self.criteria.editor and self.criteria.editor.problem:
            raise forms.ValidationError(f"A condition {self.criteria.editor.problem}.")

    def changed_part(self) -> Document:
        """Return the part with its criteria."""
        return {**super().changed_part(), "criteria": self.criteria.tree}


class FitRuleForm(CriteriaPartForm):
    """A rule of fit: which leads, and what that is worth."""

    label = _text("Name")
    points = _figure("Points", help_text="Negative for what does not fit.")
    rows = (("label", "points"),)


class DisqualifierForm(CriteriaPartForm):
    """Leads that are out, whatever else is known of them."""

    reason = _text("Reason")
    rows = (("reason",),)


class BlockForm(CriteriaPartForm):
    """Leads that do not become MQL, whatever they score."""

    label = _text("Name")
    rows = (("label",),)


class FastTrackForm(PartForm):
    """A buying act that makes an MQL at once."""

    kind = _choice("Act", EventKind.choices)
    shortest_tier = forms.BooleanField(label="In the tier with the shortest times", required=False)
    rows = (("kind", "shortest_tier"),)

    def _initial(self) -> dict[str, Any]:
        return {
            "kind": self.part.get("kind", ""),
            "shortest_tier": self.part.get("shortest_tier", True) is True,
        }


class GroupForm(PartForm):
    """A group of acts and what it gives at most."""

    name = _text("Name")
    cap = _figure("Cap", help_text="The caps of all groups are 100 together at most.")
    floor = _figure("Floor", help_text="What it takes away at most: 0 or negative.")
    rows = (("name", "cap", "floor"),)


class PersonaForm(PartForm):
    """A persona: its name."""

    name = _text("Name")
    rows = (("name",),)


RULE_FORMS: dict[SectionKind, type[PartForm]] = {
    SectionKind.GROUP: ActRuleForm,
    SectionKind.PERSONA: FitRuleForm,
    SectionKind.DISQUALIFIERS: DisqualifierForm,
    SectionKind.BLOCKING: BlockForm,
    SectionKind.FAST_TRACK: FastTrackForm,
}
SETTINGS_FORMS: dict[SectionKind, type[PartForm]] = {
    SectionKind.GROUP: GroupForm,
    SectionKind.PERSONA: PersonaForm,
}


class TermsForm(PartForm):
    """From where on grades and levels begin, and for how long a buying act counts."""

    base = _figure("Fit when nothing is known")
    grade_a = _figure("A from fit")
    grade_b = _figure("B from fit")
    grade_c = _figure("C from fit")
    level_1 = _figure("1 from engagement")
    level_2 = _figure("2 from engagement")
    level_3 = _figure("3 from engagement")
    days = _figure("Days for which a buying act counts")

    places = {
        "fit.base": "base", "fit.grades": "grade_a", "engagement.levels": "level_1",
        "mql.fast_track_days": "days",
        **{f"fit.grades.{name}": f"grade_{name.lower()}" for name in "ABC"},
        **{f"engagement.levels.{name}": f"level_{name}" for name in "123"},
    }  # fmt: skip
    rows = (
        ("grade_a", "grade_b", "grade_c", "base"),
        ("level_1", "level_2", "level_3", "days"),
    )

    def _initial(self) -> dict[str, Any]:
        grades, levels = _object(self.part["fit"].get("grades")), _levels(self.part)
        return {
            "base": self.part["fit"].get("base", ""),
            "days": self.part["mql"].get("fast_track_days", ""),
            **{f"grade_{name.lower()}": grades.get(name, "") for name in "ABC"},
            **{f"level_{name}": levels.get(name, "") for name in "123"},
        }

    def tell(self, problems: Iterable[Problem], path: str) -> None:
        """Show the faults of the terms alone: the part is the whole document."""
        own = [problem for problem in problems if self._field_of(problem.path)]
        super().tell(own, path)

    def changed_part(self) -> Document:
        """Return the whole document with these terms."""
        said = {name: typed(text) for name, text in self.cleaned_data.items()}
        grades = {name: said[f"grade_{name.lower()}"] for name in "ABC"}
        levels = {name: said[f"level_{name}"] for name in "123"}
        fit = {**self.part["fit"], "base": said["base"], "grades": grades}
        mql = {**self.part["mql"], "fast_track_days": said["days"]}
        return {
            **self.part,
            "fit": _without_blanks(fit),
            "engagement": {**self.part["engagement"], "levels": levels},
            "mql": _without_blanks(mql),
        }


def _levels(document: Document) -> Document:
    return _object(document["engagement"].get("levels"))


class ScheduleForm(PlainForm):
    """When a draft shall come into force, in the time zone of whoever says so."""

    publish_at = forms.DateTimeField(
        validators=[validate_instant],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
