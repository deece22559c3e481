"""Forms of the agreement's draft: promises with their owners, and one tier at a time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import OF_MARKETING, Commitment, TimesOutTo
from handoff.forms import CrispyForm
from handoff.models import Agreement
from handoff.services import TierTerms
from handoff.services.terms import PROMISES, active_owners_of, promises_of
from leads.criteria_form import CriteriaForm, read_criteria

_MINUTE = timedelta(minutes=1)
_MOST_MINUTES = 366 * 24 * 60


class MinutesField(forms.IntegerField):
    """A span of working time in whole minutes."""

    def __init__(self, *, least: int = 1, **options: Any) -> None:
        """Take from ``least`` minutes to a year of them."""
        super().__init__(min_value=least, max_value=_MOST_MINUTES, **options)

    def clean(self, value: Any) -> Any:
        """Return the span; None for an empty field that may be."""
        minutes = super().clean(value)
        return None if minutes is None else minutes * _MINUTE

    def prepare_value(self, value: Any) -> Any:
        """Show a span as minutes."""
        return value // _MINUTE if isinstance(value, timedelta) else value


def _percent(label: str, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(min_value=0, max_value=100, label=label, **options)


class PromisesForm(CrispyForm):
    """What each side promises, who answers for it, and what happens when it is missed."""

    mqls_per_month = forms.IntegerField(
        min_value=0, max_value=1_000_000, label="Marketing: MQLs a month", help_text="0: no promise"
    )
    acceptance_goal = _percent("Marketing: accepted by sales, at least %")
    sql_goal = _percent("Marketing: become SQL, at least %")
    on_time_goal = _percent("Sales: first touch in time, at least %")
    attempts_owed = forms.IntegerField(
        min_value=1, max_value=50, label="Sales: attempts before giving up"
    )
    verdict_goal = _percent("Sales: BANT verdict in time, at least %")
    conversion_goal = _percent("Sales: SQLs won, at least %", help_text="0: no promise")
    first_warning = forms.IntegerField(
        min_value=1, max_value=98, label="First warning, % of the time"
    )
    last_warning = forms.IntegerField(
        min_value=2, max_value=99, label="Second warning, % of the time"
    )
    escalate_after = MinutesField(
        least=0, label="Managers are told of a breach after, minutes", help_text="0: at once"
    )
    reassign_after = MinutesField(
        required=False,
        label="An unanswered handoff is taken from its holder after, minutes past due",
        help_text="Empty: never",
    )
    times_out_to = forms.ChoiceField(choices=TimesOutTo, label="Then it goes to")
    review_on = forms.DateField(
        required=False, label="Review on", widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        """Add the owner of each promise, from the side that makes it."""
        super().__init__(*args, **options)
        for commitment in Commitment:
            self.fields[_owner_name(commitment)] = forms.ModelChoiceField(
                _side_of(commitment),
                required=False,
                empty_label="Nobody in particular",
                label=f"Answers for: {commitment.label.lower()}",
            )

    @classmethod
    def initial_of(cls, draft: Agreement) -> dict[str, Any]:
        """Return what the form says of a draft."""
        owners = {_owner_name(what): who for what, who in active_owners_of(draft).items()}
        return {**promises_of(draft), **owners}

    def clean(self) -> dict[str, Any]:
        """Refuse warnings and steps in the wrong order."""
        given = super().clean() or {}
        first, last = given.get("first_warning"), given.get("last_warning")
        if first and last and first >= last:
            self.add_error("last_warning", "The second warning comes after the first.")
        told, taken = given.get("escalate_after"), given.get("reassign_after")
        if taken is not None and told is not None and taken < told:
            self.add_error("reassign_after", "Managers are told before it is taken away.")
        return given

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ``revise_draft``."""
        said = {what: self.cleaned_data[_owner_name(what)] for what in Commitment}
        return {
            **{name: self.cleaned_data[name] for name in PROMISES if name in self.cleaned_data},
            "owners": {what: who for what, who in said.items() if who},
        }


class TierForm(CrispyForm):
    """One tier: its name, the time allowed, and whether buying acts go first."""

    name = forms.CharField(max_length=60)
    is_fast_track = forms.BooleanField(required=False, label="Takes buying acts")
    accept_within = MinutesField(label="Minutes to accept")
    first_touch_within = MinutesField(label="Minutes to first touch")
    verdict_within = MinutesField(label="Minutes to verdict", help_text="480 are a day of 8 hours")

    def __init__(self, data: QueryDict | None, *, terms: TierTerms | None) -> None:
        """Show ``terms``, None for a new tier; its criteria are edited beside its fields."""
        super().__init__(data, initial=asdict(terms) if terms else {})
        before = dict(terms.criteria) if terms else {}
        self.criteria: CriteriaForm = (
            read_criteria(data, before=before) if data is not None else CriteriaForm(before)
        )

    def clean(self) -> dict[str, Any]:
        """Refuse criteria with a comparison that is not finished."""
        given = super().clean() or {}
        if self.criteria.editor and self.criteria.editor.problem:
            raise forms.ValidationError(f"A condition {self.criteria.editor.problem}.")
        return given

    def terms(self) -> TierTerms:
        """Return the tier as the service takes it."""
        return TierTerms(**self.cleaned_data, criteria=self.criteria.tree or {})


def _owner_name(commitment: Commitment) -> str:
    return f"owner_{commitment.value.lower()}"


def _side_of(commitment: Commitment) -> QuerySet[User]:
    roles = [Role.MARKETER] if commitment in OF_MARKETING else [Role.MANAGER, Role.REP]
    people = User.objects.filter(is_active=True, roles__overlap=roles)
    return people.order_by("full_name", "id")
