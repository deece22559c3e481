"""Forms of the import pages: the upload, and what its columns mean."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Layout
from django import forms
from django.core.files.uploadedfile import UploadedFile

from crm.accounts.forms import PlainForm, time_zone_choices
from leads.enums import ImportKind
from leads.importing import suggestions
from leads.importing.mapping import MappingInvalid
from leads.importing.uploads import KEPT, LARGEST_UPLOAD, SUFFIXES, SampleColumn
from leads.models import ImportJob

NEW_PREFIX = "new."
_LARGEST_MAPPING = 2**20


class UploadForm(PlainForm):
    """A file to import."""

    kind = forms.ChoiceField(
        label="It holds",
        choices=[(kind.value, kind.label) for kind in (ImportKind.LEADS, ImportKind.DEALS)],
    )
    file = forms.FileField(
        max_length=255,
        help_text="CSV or XLSX, up to 200 MB. The first line names the columns."
        f" It is removed after {KEPT.days} days.",
        widget=forms.FileInput(attrs={"accept": ",".join(SUFFIXES)}),
    )
    mapping = forms.FileField(
        required=False,
        label="Mapping, if you have one",
        help_text="The JSON file of an earlier import. Without it, you describe the columns next.",
        widget=forms.FileInput(attrs={"accept": ".json"}),
    )

    def clean_kind(self) -> ImportKind:
        """Return what the file holds."""
        return ImportKind(self.cleaned_data["kind"])

    def clean_file(self) -> UploadedFile[Any]:
        """Return the file when its kind and size can be read."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if Path(file.name or "").suffix.lower() not in SUFFIXES:
            raise forms.ValidationError(f"The name must end with one of {', '.join(SUFFIXES)}.")
        if (file.size or 0) > LARGEST_UPLOAD:
            raise forms.ValidationError("The file is larger than 200 MB: use import_leads for it.")
        return file

    def clean_mapping(self) -> Any:
        """Return the mapping document, empty without one."""
        file: UploadedFile[Any] | None = self.cleaned_data["mapping"]
        if file is None:
            return {}
        if (file.size or 0) > _LARGEST_MAPPING:
            raise forms.ValidationError("A mapping is never larger than 1 MB.")
        try:
            return json.loads(file.read())
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from error


class PartsField(forms.CharField):
    """Some parts of a mapping document, as they stand in its file."""

    def __init__(self, kinds: Mapping[str, type], **options: Any) -> None:
        """Take the name of each part, and the Python type of its JSON."""
        self.kinds = kinds
        area = forms.Textarea(attrs={"rows": 6, "spellcheck": "false"})
        super().__init__(required=False, max_length=100_000, widget=area, **options)

    def prepare_value(self, value: Any) -> Any:
        """Write an object for people."""
        is_object = isinstance(value, dict)
        return json.dumps(value, indent=2, ensure_ascii=False) if is_object else value

    def clean(self, value: Any) -> Any:
        """Return the parts as an object; empty without any."""
        text = super().clean(value)
        try:
            parts = json.loads(text or "{}")
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from error
        if not isinstance(parts, dict):
            raise forms.ValidationError("This needs an object, such as {}.")
        for name, part in parts.items():
            if name not in self.kinds:
                raise forms.ValidationError(f"{name} is not known here.")
            if not isinstance(part, self.kinds[name]):
                wanted = "a list" if self.kinds[name] is list else "an object"
                raise forms.ValidationError(f"{name} needs {wanted}.")
        return parts


class MappingForm(PlainForm):
    """What the columns of one file mean; ``document`` is the mapping it says."""

    system = forms.CharField(
        label="Name of the source",
        max_length=50,
        help_text="Such as hubspot. With the number it tells a lead again.",
    )
    zone = forms.ChoiceField(label="Time zone of the file", choices=time_zone_choices)
    placeholders = forms.CharField(
        label="Words that mean “no answer”",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line, such as Select or n/a.",
    )
    parts = PartsField(
        {"values": dict},
        label="Spellings to replace",
        help_text="As JSON, like the mapping file has it.",
    )
    #: Where problems of a mapping are shown, by the start of their path.
    places: Mapping[str, str] = {}

    def __init__(
        self, *, job: ImportJob, sample: Sequence[SampleColumn], data: Any = None, zone: str = "UTC"
    ) -> None:
        """Offer the columns of ``sample``, filled with what the job's mapping says already."""
        self.base: dict[str, Any] = job.mapping
        self.sample = sample
        self.columns = [column.name for column in sample]
        super().__init__(data, initial=self._initial(zone))
        for name, empty in self.column_choices().items():
            self.fields[name] = forms.ChoiceField(
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                required=False,
                choices=[("", empty), *zip(self.columns, self.columns, strict=True)],
            )
        for name, field in self.fields.items():
            known = self.initial.get(name)
            if isinstance(field, FormatField) and known and known not in suggestions.FORMATS:
                field.choices = [("", "Choose"), *suggestions.FORMATS.items(), (known, known)]
        self.targets = [f"column_{place}" for place in range(len(self.columns))]
        choices = self.target_choices()
        for place, name in enumerate(self.targets):
            self.fields[name] = forms.ChoiceField(
                label=self.columns[place],
                required=False,
                choices=choices,
                widget=forms.Select(attrs={"class": "form-select"}),
                initial=self.target_of(self.columns[place]),
            )

    @property
    def helper(self) -> FormHelper:
        """Return how crispy draws what is not the table of columns."""
        helper = super().helper
        shown = [name for name in self.fields if name not in self.targets]
        helper.layout = Layout(Div(*shown, css_class="form-columns"))
        helper.render_unmentioned_fields = False
        return helper

    @property
    def column_rows(self) -> Iterable[tuple[SampleColumn, forms.BoundField]]:
        """Yield each column with the field that says what it is."""
        return zip(self.sample, (self[name] for name in self.targets), strict=True)

    @abstractmethod
    def column_choices(self) -> Mapping[str, str]:
        """Return the fields that choose a column, each with the words for none."""

    @abstractmethod
    def target_choices(self) -> list[tuple[Any, Any]]:
        """Return what a column can be."""

    @abstractmethod
    def target_of(self, column: str) -> str:
        """Return what ``column`` is, or probably is."""

    def chosen(self) -> dict[str, str]:
        """Return target by column, for columns that are not ignored."""
        said = zip(
            self.columns, (self.cleaned_data.get(name) for name in self.targets), strict=True
        )
        return {column: target for column, target in said if target}

    def clean(self) -> dict[str, Any]:
        """Refuse two columns for one field."""
        taken: dict[str, str] = {}
        for name, column in zip(self.targets, self.columns, strict=True):
            target = self.cleaned_data.get(name, "")
            if not target or self.may_repeat(target):
                continue
            if target in taken:
                self.add_error(name, f"{taken[target]} is this already.")
            taken.setdefault(target, column)
        return self.cleaned_data

    def may_repeat(self, target: str) -> bool:
        """Say whether several columns can be ``target``."""
        return target.startswith(NEW_PREFIX)

    def refuse(self, error: MappingInvalid) -> None:
        """Put each problem of the mapping beside the field it is about."""
        for path, sentence in error.problems:
            place = next((self.places[key] for key in self.places if path.startswith(key)), None)
            self.add_error(place, sentence if place else f"{path} {sentence}")

    @property
    def _part_names(self) -> Iterable[str]:
        field = self.base_fields["parts"]
        return field.kinds if isinstance(field, PartsField) else ()

    def _initial(self, zone: str) -> dict[str, Any]:
        """Return what the job's mapping says already, and guesses for the rest."""
        return {
            "system": self.base.get("system", ""),
            "zone": self.base.get("timezone", zone),
            "placeholders": "\n".join(self.base.get("placeholders", [])),
            "parts": {name: self.base[name] for name in self._part_names if self.base.get(name)}
            or None,
        }

    def _common(self) -> dict[str, Any]:
        """Return the part of the mapping that every kind of file has."""
        kept = {name: said for name, said in self.base.items() if name not in self._part_names}
        return {
            **kept,
            **self.cleaned_data["parts"],
            "system": self.cleaned_data["system"],
            "timezone": self.cleaned_data["zone"],
            "placeholders": words(self.cleaned_data["placeholders"]),
        }

    def _moment(self, name: str) -> dict[str, Any]:
        """Return the mapping of an instant, with what an uploaded one says besides."""
        kept = {**self.base.get(name, {})}
        kept |= {"column": self.cleaned_data[name], "format": self.cleaned_data[f"{name}_format"]}
        return kept

    def _initial_moment(self, name: str, guess: str) -> dict[str, str]:
        """Return the column of an instant and its format: as mapped, or as its values look."""
        mapped = self.base.get(name, {})
        column = mapped.get("column", "") if mapped else guess
        values = next((each.values for each in self.sample if each.name == column), ())
        form = mapped.get("format") or suggestions.time_format(values)
        return {name: column, f"{name}_format": form}


class FormatField(forms.ChoiceField):
    """How a column writes time, chosen by example."""

    def __init__(self, **options: Any) -> None:
        """Offer the usual formats, by what the last day of May looks like."""
        offered = [("", "Choose"), *suggestions.FORMATS.items()]
        super().__init__(required=False, choices=offered, **options)


def words(text: str) -> list[str]:
    """Return the lines of ``text`` that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]
