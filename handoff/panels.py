"""What a lead's handoff adds to the lead list and the lead page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils import timezone

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery, QueryOfViewer
from crm.common.ui.badges import SlaBadge
from crm.common.ui.marks import sla_badge
from crm.common.ui.words import working_time
from engagement.touches import touch_before
from handoff.badges import clock_badge
from handoff.enums import BantAnswer, HandoffState, RejectionReason
from handoff.models import Clock, Handoff, WorkCalendar
from leads.models import Lead

_NEWEST = QueryOfViewer(
    lambda viewer, lead: (
        Handoff.objects.visible_to(viewer)
        .filter(lead=lead)
        .select_related("bant")
        .order_by(F("closed_at").desc(nulls_first=True), "-opened_at", "-id")[:1]
    )
)

#: The clock that falls due next of each open handoff, with all that a badge says of it.
_CLOCKS = PreparedQuery(
    lambda leads: (
        Clock.objects.running()
        .filter(handoff__in=Handoff.objects.open().filter(lead__among=leads))
        .only("handoff_id", "kind", "started_at", "target", "due_at", "stopped_at", "withdrawn_at")
        .annotate(of_lead=F("handoff__lead"), of_calendar=F("handoff__calendar"))
        .order_by("handoff", "due_at", "id")
        .distinct("handoff")
    )
)
_REFUSALS = PreparedQuery(
    lambda leads: (
        Handoff.objects.filter(lead__among=leads, state=HandoffState.REJECTED)
        .order_by("lead", "-closed_at", "-id")
        .distinct("lead")
        .values_list("lead", "rejection_reason")
    )
)
_CALENDARS = PreparedQuery(lambda ids: WorkCalendar.objects.filter(pk__among=ids))


def sla_badges(lead_ids: Sequence[int], viewer: User, now: datetime) -> Mapping[int, SlaBadge]:
    """Return the clock that falls due next per lead with an open handoff; two queries.

    ``viewer`` may see these leads, and with a lead how its handoff stands.
    """
    del viewer
    clocks: list[Any] = _CLOCKS.ask(list(lead_ids))
    found = _CALENDARS.ask(list({clock.of_calendar for clock in clocks})) if clocks else []
    hours = {calendar.pk: calendar.hours for calendar in found}
    return {
        clock.of_lead: clock_badge(clock, hours[clock.of_calendar], now=now) for clock in clocks
    }


def refusals_of(lead_ids: Sequence[int], viewer: User, now: datetime) -> Mapping[int, str]:
    """Return why sales rejected each lead last."""
    del viewer, now
    return {
        lead_id: RejectionReason(reason).label for lead_id, reason in _REFUSALS.rows(list(lead_ids))
    }


def refusal_cell(_lead: Lead, reason: str | None, _now: datetime) -> str:
    """Draw the reason of a row."""
    return reason or ""


def sla_cell(_lead: Lead, badge: SlaBadge | None, _now: datetime) -> str:
    """Draw the clock of a row."""
    return sla_badge(badge) if badge else ""


def lead_handoff(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return the newest handoff of a lead that ``viewer`` may see; None before the first.

    With it the frozen brief, what brought the lead last before, how far BANT is and, while it is
    open, its deadline.
    """
    handoff = _newest(lead, viewer)
    if handoff is None:
        return None
    bant = getattr(handoff, "bant", None)
    answers = list(bant.answers.values()) if bant else []
    labels = bant.labels if bant else []
    return {
        "handoff": handoff,
        "brief": handoff.readable_brief,
        "arrival": touch_before({lead.pk: handoff.opened_at}).get(lead.pk),
        "framework": bant.framework if bant else "",
        "answers": answers,
        "labels": labels,
        "is_untouched": set(answers) <= {BantAnswer.NOT_ASKED},
        "lines": [(label, answer.label) for label, answer in zip(labels, answers, strict=True)],
        "is_workable": handoff.is_workable_by(viewer),
        **_deadline(handoff, now),
    }


def _newest(lead: Lead, viewer: User) -> Handoff | None:
    """Return the open handoff, else the one that ended last. The lead itself is known already."""
    found = _NEWEST.ask(viewer, lead.pk)
    for newest in found:
        newest.lead = lead
    return found[0] if found else None


def _deadline(handoff: Handoff, now: datetime) -> dict[str, Any]:
    clock = handoff.clocks.running().order_by("due_at", "id").first() if handoff.is_open else None
    if clock is None:
        return {}
    due_at = timezone.localtime(clock.due_at)
    return {
        "badge": clock_badge(clock, handoff.calendar.hours, now=now),
        "deadline": f"due {due_at:%a %H:%M %Z}, {working_time(clock.target)} of working time",
    }
