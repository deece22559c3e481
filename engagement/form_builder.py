"""Forms by which colleagues build a form: its words, its questions, what stands behind it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict

from crm.accounts.forms import PlainForm
from engagement.answers import catalogue
from engagement.models import Asset, CaptureForm, Offer
from engagement.models.forms import FORM_KINDS
from engagement.questions import (
    EMAIL,
    Question,
    lead_values,
    moved,
    read_questions,
    without,
)
from engagement.source_forms import OriginsField
from leads.enums import ConsentPurpose
from leads.normalise import NotAWebsite, normalise_website
from leads.services import LeadInvalid
from leads.services.values import clean_values

_MOST_ORIGINS = 20
SECTIONS = (
    ("What people see", ("title", "intro", "button")),
    ("Consent", ("consent_text", "consent_purpose", "needs_consent", "double_opt_in")),
    ("Behind it", ("asset", "offer", "event_kind", "mails_link", "thank_you", "redirect_url")),
    ("Name and place", ("name", "slug", "embed_origins")),
)


class NewForm(PlainForm):
    """What a form is called to begin with."""

    name = forms.CharField(max_length=100, help_text="For colleagues, such as Downtime guide.")
    slug = forms.SlugField(
        label="Address", max_length=60, help_text="Its page is at /f/ followed by this."
    )


class BuilderForm(NewForm):
    """Everything about a form but its questions."""

    title = forms.CharField(max_length=150)
    intro = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    button = forms.CharField(max_length=40)
    consent_text = forms.CharField(
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Beside a box to tick. Each submission keeps the words that were read.",
    )
    consent_purpose = forms.ChoiceField(label="Consent to", choices=ConsentPurpose.choices)
    needs_consent = forms.BooleanField(required=False, label="Cannot be sent without consent")
    double_opt_in = forms.BooleanField(
        required=False,
        label="Confirm the address by mail first",
        help_text="Until then there is no lead, no score and no consent.",
    )
    asset = forms.ModelChoiceField(
        Asset.objects.filter(is_archived=False).order_by("name", "id"),
        required=False,
        empty_label="None",
        help_text="With a file, the sender gets a link to it.",
    )
    offer = forms.ModelChoiceField(
        Offer.objects.filter(is_active=True).order_by("name", "id"),
        required=False,
        empty_label="None",
        help_text="Sending the form accepts it.",
    )
    event_kind = forms.ChoiceField(
        label="Without an offer it is", choices=[(kind.value, kind.label) for kind in FORM_KINDS]
    )
    mails_link = forms.BooleanField(required=False, label="Mail the link to the file, too")
    thank_you = forms.CharField(max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    redirect_url = forms.CharField(
        label="Then lead on to", max_length=500, required=False, help_text="An address of the web."
    )
    embed_origins = OriginsField(
        label="Sites that may embed it",
        required=False,
        help_text="One a line, such as https://www.example.com.",
    )

    @property
    def sections(self) -> list[tuple[str, list[BoundField]]]:
        """Return the fields as the page shows them."""
        return [(title, [self[name] for name in names]) for title, names in SECTIONS]

    def clean_redirect_url(self) -> str:
        """Take an address of the web only."""
        try:
            return normalise_website(self.cleaned_data["redirect_url"])
        except NotAWebsite as problem:
            raise ValidationError(f"{problem}.") from problem

    def clean_embed_origins(self) -> list[str]:
        """Take so many that the header which names them stays short."""
        origins: list[str] = self.cleaned_data["embed_origins"]
        if len(origins) > _MOST_ORIGINS:
            raise ValidationError(f"Name at most {_MOST_ORIGINS} sites.")
        return origins


class QuestionForm(PlainForm):
    """One question, or one value that the form sets."""

    label = forms.CharField(max_length=100)
    help = forms.CharField(label="Help", max_length=200, required=False)
    is_required = forms.BooleanField(label="Required", required=False)
    fixed = forms.CharField(
        label="Fixed value",
        max_length=200,
        required=False,
        help_text="With it nobody is asked: every submission gets this value.",
    )

    def __init__(
        self, name: str, title: str, posted: QueryDict | None, *, initial: dict[str, Any]
    ) -> None:
        """Ask about the field ``name`` of a lead; the address is always required."""
        super().__init__(posted, prefix=f"q-{name}", initial=initial)
        self.name, self.title = name, title
        self.can_go = name != EMAIL
        if not self.can_go:
            del self.fields["is_required"], self.fields["fixed"]

    @property
    def pairs(self) -> list[list[BoundField]]:
        """Return the fields as the page shows them."""
        names = (
            [["label", "help"], ["is_required", "fixed"]] if self.can_go else [["label", "help"]]
        )
        return [[self[name] for name in pair] for pair in names]

    @property
    def question(self) -> Question:
        """Return what was said."""
        return Question(self.name, **self.cleaned_data)

    def clean_fixed(self) -> str:
        """Take what a lead can hold."""
        value: str = self.cleaned_data["fixed"]
        try:
            clean_values(lead_values({self.name: value}))
        except LeadInvalid as refusal:
            raise ValidationError(f"This {next(iter(refusal.problems.values()))}.") from refusal
        return value


class Builder:
    """A form as it is built: its settings and its questions, as the page shows and sends them."""

    def __init__(self, form: CaptureForm, posted: QueryDict | None = None) -> None:
        """Show ``form``, or what was sent of it."""
        self.labels = catalogue()
        self.settings = BuilderForm(posted, initial=_initial(form))
        kept = {each.name: each for each in read_questions(form.questions)}
        names = kept if posted is None else posted.getlist("questions")
        known = [name for name in dict.fromkeys(names) if name in self.labels]
        self.rows = [
            QuestionForm(name, self.labels[name], posted, initial=_asked(kept.get(name)))
            for name in known
        ]

    def is_valid(self) -> bool:
        """Say whether all of it can be kept."""
        return all([self.settings.is_valid(), *[row.is_valid() for row in self.rows]])

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """Return what is wrong: the id of the field, its label, a sentence."""
        fields = [*self.settings, *[field for row in self.rows for field in row]]
        return [
            (str(field.id_for_label), str(field.label), str(problem))
            for field in fields
            for problem in field.errors
        ]

    @property
    def addable(self) -> list[tuple[str, str]]:
        """Return what the form does not ask for yet."""
        there = {row.name for row in self.rows}
        return [(name, label) for name, label in self.labels.items() if name not in there]

    def questions(self, act: str = "", added: str = "") -> list[Question]:
        """Return the questions after ``act``: ``up-2``, ``down-2``, ``remove-2``, or ``add``.

        ``added`` is what is then asked too. Any other act changes nothing.
        """
        questions = [row.question for row in self.rows]
        if act == "add" and added in dict(self.addable):
            return [*questions, Question(added, self.labels[added])]
        verb, _, place = act.partition("-")
        if not place.isdecimal() or len(place) > 3:
            return questions
        at = int(place)
        acts = {"up": moved(questions, at, -1), "down": moved(questions, at, 1)}
        return without(questions, at) if verb == "remove" else acts.get(verb, questions)


def _initial(form: CaptureForm) -> dict[str, Any]:
    return {name: getattr(form, name) for _, names in SECTIONS for name in names}


def _asked(question: Question | None) -> dict[str, Any]:
    return asdict(question) if question else {}
