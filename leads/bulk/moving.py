"""Moving many leads through the lifecycle, where it allows that by hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from crm.accounts.models import User
from crm.common.instants import plan_day_problem
from leads.bulk.acts import DONE, UNCHANGED, BulkAct, BulkForm, Outcome, Said, one_by_one
from leads.enums import LifecycleStage
from leads.lifecycle import IllegalTransition
from leads.models import Lead
from leads.services import change_stage

_WAYS = [
    (LifecycleStage.MQL, "Hand off to sales"),
    (LifecycleStage.RECYCLED, "Recycle to nurture"),
    (LifecycleStage.DISQUALIFIED, "Disqualify"),
    (LifecycleStage.LEAD, "Reinstate as lead"),
]


class MoveForm(BulkForm):
    """Where to, why, and when a recycled lead is looked at again."""

    to_stage = forms.ChoiceField(label="Move to", choices=_WAYS, widget=forms.RadioSelect)
    wake_on = forms.DateField(
        label="Wake up on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="When a recycled lead is looked at again.",
    )
    reason = forms.CharField(max_length=200)

    def clean(self) -> dict[str, Any]:
        """Check that recycled leads have a day on which they wake."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("to_stage") == LifecycleStage.RECYCLED and "wake_on" not in self.errors:
            wake_on = cleaned.get("wake_on")
            if wake_on is None:
                self.add_error("wake_on", "Recycled leads need a day on which they wake up.")
            elif problem := plan_day_problem(wake_on, today=timezone.localdate()):
                self.add_error("wake_on", problem)
        return cleaned

    def said(self) -> dict[str, Any]:
        """Return the move; the day as an instant, midnight of the person's time zone."""
        cleaned = self.cleaned_data
        wakes = cleaned["to_stage"] == LifecycleStage.RECYCLED
        wake_at = _start_of(cleaned["wake_on"]).isoformat() if wakes else None
        return {"to_stage": cleaned["to_stage"], "reason": cleaned["reason"], "wake_at": wake_at}


def move_words(held: Said) -> str:
    """Return what is done, in words."""
    return f"{dict(_WAYS)[LifecycleStage(held['to_stage'])]}: {held['reason']}"[:200]


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def move_leads(
    leads: Sequence[Lead], said: Said, *, actor: User, now: datetime
) -> dict[int, Outcome]:
    """Move each lead that the lifecycle lets go there; the others are refused, never overridden."""
    wake_at = datetime.fromisoformat(said["wake_at"]) if said["wake_at"] else None

    def move(lead: Lead) -> Outcome:
        return _move(lead, said["to_stage"], said["reason"], actor, now, wake_at)

    return one_by_one(leads, move, refusals=(IllegalTransition,))


def move_back(
    leads: Sequence[tuple[Lead, Said]], said: Said, *, actor: User, now: datetime
) -> dict[int, Outcome]:
    """Move each lead to where it came from, if the lifecycle knows that way."""
    came_from = {lead.pk: before["stage"] for lead, before in leads}

    def move(lead: Lead) -> Outcome:
        return _move(lead, came_from[lead.pk], f"Undone: {said['reason']}"[:200], actor, now)

    return one_by_one([lead for lead, _ in leads], move, refusals=(IllegalTransition,))


def _move(
    lead: Lead,
    to_stage: str,
    reason: str,
    actor: User,
    now: datetime,
    wake_at: datetime | None = None,
) -> Outcome:
    if lead.stage == to_stage:
        return UNCHANGED
    change_stage(
        lead_id=lead.pk, to_stage=LifecycleStage(to_stage), reason=reason, actor=actor, now=now,
        wake_at=wake_at,
    )  # fmt: skip
    return DONE


def moved_since(lead_ids: Collection[int], seen_at: datetime) -> set[int]:
    """Return which of the leads came to their stage after ``seen_at``."""
    moved = Lead.objects.filter(pk__in=lead_ids, stage_since__gt=seen_at)
    return set(moved.values_list("pk", flat=True))


# One by one: opening a handoff takes a lock that everybody waits for, visitors too, and that others
# hold when they come to a lead.
MOVING = BulkAct(
    "stage", "Change stage", 30, "arrow-right-left", MoveForm, move_words, move_leads, move_back,
    guards=("stage", "cycle"), key="m", changed_since=moved_since, at_once=1,
)  # fmt: skip
