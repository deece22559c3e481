"""The form of a routing rule; what it says is checked by the service."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from crm.accounts.models import SalesTeam, User
from handoff.enums import RouteTo
from handoff.forms import CrispyForm
from handoff.models import RoutingRule
from leads.criteria_form import CriteriaForm, read_criteria

_FIELDS = ("name", "to", "team", "rep", "fallback", "is_active")


class RuleForm(CrispyForm):
    """Who gets leads that fit, and who if nobody there can."""

    name = forms.CharField(max_length=100)
    to = forms.ChoiceField(choices=RouteTo, label="They go to", widget=forms.RadioSelect)
    team = forms.ModelChoiceField(SalesTeam.objects.order_by("name", "id"))
    rep = forms.ModelChoiceField(
        User.objects.none(), required=False, empty_label="Nobody", help_text="For one rep only."
    )
    fallback = forms.ModelChoiceField(
        RoutingRule.objects.none(),
        required=False,
        empty_label="The pool of the team, and its managers are told",
        label="If nobody there can take it",
    )
    is_active = forms.BooleanField(
        required=False,
        label="In use",
        help_text="Off, a rule is only tried in dry runs that ask for it.",
    )

    def __init__(self, data: QueryDict | None, *, rule: RoutingRule | None) -> None:
        """Show ``rule``, None for a new one; its criteria are edited beside its fields."""
        initial = {name: getattr(rule, name) for name in _FIELDS} if rule else {"to": RouteTo.TEAM}
        super().__init__(data, initial=initial)
        before = rule.criteria if rule else {}
        self.criteria: CriteriaForm = (
            read_criteria(data, before=before) if data is not None else CriteriaForm(before)
        )
        others = RoutingRule.objects.order_by("position")
        self._offer("fallback", others.exclude(pk=rule.pk) if rule else others)
        self._offer("rep", User.objects.reps().order_by("full_name", "id"))

    def clean(self) -> dict[str, Any]:
        """Refuse criteria with a comparison that is not finished."""
        given = super().clean() or {}
        if self.criteria.editor and self.criteria.editor.problem:
            raise forms.ValidationError(f"A condition {self.criteria.editor.problem}.")
        return given

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the services."""
        return {**self.cleaned_data, "criteria": self.criteria.tree or {}}

    def _offer(self, name: str, queryset: Any) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = queryset
