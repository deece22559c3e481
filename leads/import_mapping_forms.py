"""What the columns of a file of leads, or of deals, mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from leads.enums import AttributeType, DealOutcome, ImportKind
from leads.import_forms import NEW_PREFIX, FormatField, MappingForm, PartsField, words
from leads.importing import suggestions
from leads.importing.mapping import AT_IMPORT, ATTRIBUTE_PREFIX, LEAD_FIELDS
from leads.importing.uploads import SampleColumn
from leads.models import ImportJob, LeadAttribute

_NAMES = {"email": "E-mail", "company_name": "Company"}
_DECLARABLE = ("TEXT", "NUMBER", "BOOLEAN", "DATE")
_BY_COLUMN = "COLUMN"


class LeadMappingForm(MappingForm):
    """What the columns of a file of leads mean."""

    key = forms.CharField(
        label="Number of the lead",
        help_text="The column that is different for every lead, such as its id.",
    )
    created_at = forms.CharField(
        label="Captured on", help_text="When the person became a lead; it starts the history."
    )
    created_at_format = FormatField(label="Captured on is written as")
    parts = PartsField(
        {"history": list, "values": dict, "constants": dict},
        label="Past stages, spellings, fixed values",
        help_text="As JSON, like the mapping file has it under history, values and constants.",
    )
    field_order = (
        "system", "key", "created_at", "created_at_format", "zone", "placeholders", "parts",
    )  # fmt: skip
    places = {
        "system": "system", "key": "key", "timezone": "zone", "placeholders": "placeholders",
        "created_at.format": "created_at_format", "created_at": "created_at",
        "history": "parts", "values": "parts", "constants": "parts",
    }  # fmt: skip

    def __init__(self, **options: Any) -> None:
        """Read the declared attributes, of Baton and of an uploaded mapping."""
        base = options["job"].mapping
        self.attributes: dict[str, dict[str, Any]] = {
            each.name: {
                "label": each.label,
                "type": _declarable(each.type),
                **({"by_sales": True} if each.is_by_sales else {}),
            }
            for each in LeadAttribute.objects.order_by("label", "name")
        } | base.get("attributes", {})
        #: An uploaded mapping may read one column twice; the page shows the first use.
        self.hidden: dict[str, str] = {}
        self.shown: dict[str, str] = {}
        for field, column in base.get("fields", {}).items():
            if self.shown.setdefault(column, field) != field:
                self.hidden[field] = column
        super().__init__(**options)

    @property
    def document(self) -> dict[str, Any]:
        """Return the mapping that the form says."""
        fields, declared = dict(self.hidden), dict(self.base.get("attributes", {}))
        for column, target in self.chosen().items():
            name = target
            if target.startswith(NEW_PREFIX):
                new = _free_name(suggestions.attribute_name(column), {*declared, *self.attributes})
                declared[new] = {"label": column[:100], "type": target.removeprefix(NEW_PREFIX)}
                name = f"{ATTRIBUTE_PREFIX}{new}"
            elif target.startswith(ATTRIBUTE_PREFIX):
                known = target.removeprefix(ATTRIBUTE_PREFIX)
                declared[known] = self.attributes[known]
            fields[name] = column
        at_import = {"otherwise": AT_IMPORT}
        created = self._moment("created_at") if self.cleaned_data["created_at"] else at_import
        used = {*fields, *self.cleaned_data["parts"].get("constants", {})}
        declared = {k: v for k, v in declared.items() if f"{ATTRIBUTE_PREFIX}{k}" in used}
        said = {"key": self.cleaned_data["key"], "fields": fields, "attributes": declared}
        return {**self._common(), **said, "created_at": created}

    def column_choices(self) -> Mapping[str, str]:
        """Offer columns for the number and the moment of capture."""
        return {
            "key": "None: the e-mail tells leads apart",
            "created_at": "No column: the moment of the import",
        }

    def target_choices(self) -> list[tuple[Any, Any]]:
        """Return the fields of a lead, its attributes, and new attributes."""
        return [
            ("", "No field"),
            ("Lead", [(name, _field_label(name)) for name in LEAD_FIELDS]),
            *self._attribute_choices(),
            ("New attribute", [(f"{NEW_PREFIX}{kind}", f"New: {AttributeType(kind).label.lower()}")
                               for kind in _DECLARABLE]),
        ]  # fmt: skip

    def target_of(self, column: str) -> str:
        """Return the field that the mapping or the name of the column says."""
        if "fields" in self.base:
            return self.shown.get(column, "")
        guess = suggestions.lead_field(column)
        earlier = self.columns[: self.columns.index(column)]
        return "" if guess in map(suggestions.lead_field, earlier) else guess

    def _attribute_choices(self) -> list[tuple[str, list[tuple[str, str]]]]:
        offered = [
            (f"{ATTRIBUTE_PREFIX}{name}", said.get("label", name))
            for name, said in self.attributes.items()
        ]
        return [("Attributes", offered)] if offered else []

    def _initial(self, zone: str) -> dict[str, Any]:
        guess = suggestions.created_column(self.columns)
        key = self.base.get("key", suggestions.number_column(self.columns))
        return {
            **super()._initial(zone), "key": key, **self._initial_moment("created_at", guess)
        }  # fmt: skip


class DealMappingForm(MappingForm):
    """What the columns of a file of deals mean."""

    key = forms.CharField(label="Number of the deal")
    lead = forms.CharField(
        label="Number of the lead",
        help_text="As in the file of leads of the same source.",
    )
    outcome = forms.ChoiceField(
        label="Every row is",
        choices=[(_BY_COLUMN, "Won or lost, by a column"), *DealOutcome.choices],
    )
    outcome_column = forms.CharField(label="Column with the outcome")
    won = forms.CharField(
        label="Words that mean won", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    lost = forms.CharField(
        label="Words that mean lost",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line. A row with any other word is an open deal.",
    )
    closed_at = forms.CharField(label="Ended on")
    closed_at_format = FormatField(label="Ended on is written as")
    currency = forms.RegexField(
        r"^[A-Z]{3}$", label="Currency", required=False, help_text="Such as EUR."
    )
    creates_reps = forms.BooleanField(
        label="Keep owners that are unknown here",
        required=False,
        help_text="As names for reports; they cannot log in and get no work.",
    )
    field_order = (
        "system", "key", "lead", "outcome", "outcome_column", "won", "lost", "closed_at",
        "closed_at_format", "zone", "currency", "placeholders", "parts", "creates_reps",
    )  # fmt: skip
    places = {
        "system": "system", "key": "key", "lead": "lead", "outcome": "outcome_column",
        "closed_at.format": "closed_at_format", "closed_at": "closed_at", "timezone": "zone",
        "values": "parts",
    }  # fmt: skip

    @property
    def document(self) -> dict[str, Any]:
        """Return the mapping that the form says."""
        cleaned, chosen = self.cleaned_data, self.chosen()
        column_of = {target: column for column, target in chosen.items()}
        owner = {"column": column_of.get("owner", ""), "create": cleaned["creates_reps"]}
        return {
            **self._common(),
            "key": cleaned["key"],
            "lead": cleaned["lead"],
            "outcome": self._outcome(),
            "closed_at": self._moment("closed_at"),
            "currency": cleaned["currency"],
            "value": column_of.get("value", ""),
            "product": column_of.get("product", ""),
            "owner": owner,
            "attributes": self._attributes(chosen),
        }

    def column_choices(self) -> Mapping[str, str]:
        """Offer columns for the numbers, the outcome and the moment of the end."""
        return dict.fromkeys(("key", "lead", "outcome_column", "closed_at"), "Choose")

    def target_choices(self) -> list[tuple[Any, Any]]:
        """Return what a deal has besides its numbers, end and outcome."""
        named = [("value", "Value"), ("owner", "Owner"), ("product", "Product")]
        return [("", "No field"), *named, (f"{NEW_PREFIX}TEXT", "Attribute of the deal")]

    def target_of(self, column: str) -> str:
        """Return what the mapping or the name of the column says."""
        if "closed_at" not in self.base:
            guesses = {
                suggestions.called(self.columns, "value", "amount", "revenue"): "value",
                suggestions.called(self.columns, "owner", "agent", "rep"): "owner",
                suggestions.called(self.columns, "product"): "product",
            }
            return guesses.get(column, "")
        mapped = {self.base.get(name, ""): name for name in ("value", "product")}
        mapped[self.base.get("owner", {}).get("column", "")] = "owner"
        mapped |= dict.fromkeys(self.base.get("attributes", {}).values(), f"{NEW_PREFIX}TEXT")
        return mapped.get(column, "")

    def _outcome(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned["outcome"] != _BY_COLUMN:
            return {"constant": cleaned["outcome"]}
        won, lost = words(cleaned["won"]), words(cleaned["lost"])
        return {"column": cleaned["outcome_column"], "won": won, "lost": lost}

    def _attributes(self, chosen: Mapping[str, str]) -> dict[str, str]:
        """Return attribute -> column; names of an uploaded mapping stay."""
        named = {column: name for name, column in self.base.get("attributes", {}).items()}
        made: dict[str, str] = {}
        for column, target in chosen.items():
            if target.startswith(NEW_PREFIX):
                name = named.get(column) or suggestions.attribute_name(column)
                made[_free_name(name, made)] = column
        return made

    def _initial(self, zone: str) -> dict[str, Any]:
        guess, base = suggestions.closed_column(self.columns), self.base
        outcome = base.get("outcome", {})
        return {
            **super()._initial(zone),
            "key": base.get("key", suggestions.number_column(self.columns, "deal")),
            "lead": base.get("lead", suggestions.number_column(self.columns, "lead")),
            "outcome": outcome.get("constant", _BY_COLUMN),
            "outcome_column": outcome.get("column")
            or suggestions.called(self.columns, "outcome", "stage", "status", "result"),
            "won": "\n".join(outcome.get("won", ["Won"])),
            "lost": "\n".join(outcome.get("lost", ["Lost"])),
            "currency": base.get("currency", ""),
            "creates_reps": base.get("owner", {}).get("create", False),
            **self._initial_moment("closed_at", guess),
        }


def mapping_form(
    *, job: ImportJob, sample: Sequence[SampleColumn], data: Any, zone: str
) -> LeadMappingForm | DealMappingForm:
    """Return the form for the kind of file that ``job`` has."""
    of_kind = LeadMappingForm if job.kind == ImportKind.LEADS else DealMappingForm
    return of_kind(job=job, sample=sample, data=data, zone=zone)


def _declarable(kind: str) -> str:
    """Return the type a mapping may name; a declared choice stays what it is."""
    return kind if kind in _DECLARABLE else "TEXT"


def _field_label(name: str) -> str:
    return _NAMES.get(name) or name.replace("_", " ").capitalize()


def _free_name(name: str, taken: Mapping[str, Any] | set[str]) -> str:
    """Return ``name``, numbered where it is taken."""
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name[:50]}_{number}"
    return free
