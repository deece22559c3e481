"""Giving many leads to a rep at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django import forms

from crm.accounts.models import SalesTeam, User
from handoff.models import Handoff, HolderInterval
from handoff.services import (
    CannotHold,
    HandoffClosed,
    HandoffTaken,
    check_can_hold,
    reassign_handoff,
)
from leads.bulk.acts import DONE, UNCHANGED, BulkAct, BulkForm, Outcome, Said, one_by_one, refused
from leads.models import Lead
from leads.services import give_lead

_REFUSALS = (CannotHold, HandoffClosed, HandoffTaken)


class AssignForm(BulkForm):
    """To whom, and why."""

    to = forms.ModelChoiceField(
        label="Give to", queryset=User.objects.none(), empty_label="Choose a rep"
    )
    reason = forms.CharField(max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the reps of today."""
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        assert isinstance(to, forms.ModelChoiceField)  # noqa: S101 -- narrows a declared field
        to.queryset = User.objects.reps().order_by("full_name", "id")

    def said(self) -> dict[str, Any]:
        """Return the rep by number."""
        return {"to": self.cleaned_data["to"].pk, "reason": self.cleaned_data["reason"]}


def assign_words(held: Said) -> str:
    """Return what is done, in words."""
    return f"Give to {held['to']}"


def assign_leads(
    leads: Sequence[Lead], said: Said, *, actor: User, now: datetime
) -> dict[int, Outcome]:
    """Give each lead to a rep: the open handoff where there is one, else the lead alone."""
    to = _people([said["to"]])[said["to"]]
    opened = _open_handoffs(leads)

    def give(lead: Lead) -> Outcome:
        return _give(lead, opened.get(lead.pk), to, actor, said["reason"], now)

    return one_by_one(leads, give, refusals=_REFUSALS)


def take_back(
    leads: Sequence[tuple[Lead, Said]], said: Said, *, actor: User, now: datetime
) -> dict[int, Outcome]:
    """Give each lead back to who held it before."""
    held = {lead.pk: before for lead, before in leads}
    former = _people({before["owner_id"] for _, before in leads} - {None})
    teams = SalesTeam.objects.in_bulk({before["team_id"] for _, before in leads} - {None})
    opened = _open_handoffs([lead for lead, _ in leads])

    def give_back(lead: Lead) -> Outcome:
        holder = former.get(held[lead.pk]["owner_id"])
        handoff = opened.get(lead.pk)
        if holder is None and handoff is not None:
            return refused("Nobody held it before: its handoff stays where it is.")
        if holder is None:
            team = teams.get(held[lead.pk]["team_id"])
            give_lead(lead_id=lead.pk, owner=None, team=team, actor=actor, now=now)
            return DONE
        return _give(lead, handoff, holder, actor, f"Undone. {said['reason']}".strip(), now)

    return one_by_one([lead for lead, _ in leads], give_back, refusals=_REFUSALS)


def _people(ids: Iterable[int]) -> dict[int, User]:
    """Return people by id, who cannot stop selling until the transaction ends.

    Whoever is about to stop waits for the leads that this transaction holds, so this one does not
    wait for them: it fails, and the job tries again.
    """
    people = User.objects.select_for_update(of=("self",), no_key=True, nowait=True)
    found = people.select_related("sales_team").filter(pk__in=ids)
    return {person.pk: person for person in found.order_by("pk")}


def _open_handoffs(leads: Sequence[Lead]) -> dict[int, int]:
    return dict(Handoff.objects.open().filter(lead__in=leads).values_list("lead_id", "pk"))


def _give(
    lead: Lead, handoff_id: int | None, to: User, actor: User, reason: str, now: datetime
) -> Outcome:
    if lead.owner_id == to.pk:
        return UNCHANGED
    if handoff_id is None:
        check_can_hold(to)
        give_lead(lead_id=lead.pk, owner=to, team=to.sales_team, actor=actor, now=now)
    else:
        reassign_handoff(handoff_id=handoff_id, to=to, actor=actor, reason=reason, now=now)
    return DONE


def handed_on_since(lead_ids: Collection[int], seen_at: datetime) -> set[int]:
    """Return which of the leads came into other hands after ``seen_at``."""
    begun = HolderInterval.objects.filter(handoff__lead__in=lead_ids, started_at__gt=seen_at)
    return set(begun.values_list("handoff__lead", flat=True))


ASSIGNING = BulkAct(
    "assign", "Assign", 10, "user-plus", AssignForm, assign_words, assign_leads, take_back,
    guards=("owner_id", "team_id"), key="a", changed_since=handed_on_since,
)  # fmt: skip
