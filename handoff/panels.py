"""What a lead's handoff adds to the lead list and the lead page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from crm.accounts.models import User
from crm.common.ui.badges import SlaBadge
from crm.common.ui.marks import sla_badge
from crm.common.ui.words import working_time
from engagement.touches import touch_before
from handoff.badges import clock_badge
from handoff.bant import QUESTIONS
from handoff.enums import BantAnswer
from handoff.models import Clock, Handoff, WorkCalendar
from handoff.queue import answers_of
from leads.models import Lead

#: All that a badge says of a clock; a list reads as many as it has rows.
_READ_FOR_BADGES = (
    "handoff_id", "kind", "started_at", "target", "due_at", "stopped_at", "withdrawn_at"
)  # fmt: skip


def sla_badges(lead_ids: Sequence[int], viewer: User, now: datetime) -> Mapping[int, SlaBadge]:
    """Return the clock that falls due next per lead with an open handoff; three queries.

    ``viewer`` may see these leads, and with a lead how its handoff stands.
    """
    del viewer
    handoffs = Handoff.objects.open().filter(lead__in=lead_ids)
    found = {pk: rest for pk, *rest in handoffs.values_list("pk", "lead", "calendar")}
    running = Clock.objects.running().filter(handoff__in=found).only(*_READ_FOR_BADGES)
    clocks = running.order_by("handoff", "due_at", "id").distinct("handoff")
    calendars = WorkCalendar.objects.in_bulk({calendar for _, calendar in found.values()})
    badges = {}
    for clock in clocks:
        lead_id, calendar_id = found[clock.handoff_id]
        badges[lead_id] = clock_badge(clock, calendars[calendar_id].hours, now=now)
    return badges


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
    answers = answers_of(handoff)
    return {
        "handoff": handoff,
        "brief": handoff.readable_brief,
        "arrival": touch_before({lead.pk: handoff.opened_at}).get(lead.pk),
        "answers": answers,
        "is_untouched": set(answers) == {BantAnswer.NOT_ASKED},
        "lines": [
            (question.capitalize(), BantAnswer(code).label)
            for question, code in zip(QUESTIONS, answers, strict=True)
        ],
        "is_workable": handoff.is_workable_by(viewer),
        **_deadline(handoff, now),
    }


def _newest(lead: Lead, viewer: User) -> Handoff | None:
    """Return the newest handoff: the open one, if one is. The lead itself is known already."""
    visible = Handoff.objects.visible_to(viewer).filter(lead=lead)
    newest = visible.select_related("bant").order_by("-opened_at", "-id").first()
    if newest:
        newest.lead = lead
    return newest


def _deadline(handoff: Handoff, now: datetime) -> dict[str, Any]:
    clock = handoff.clocks.running().order_by("due_at", "id").first() if handoff.is_open else None
    if clock is None:
        return {}
    due_at = timezone.localtime(clock.due_at)
    return {
        "badge": clock_badge(clock, handoff.calendar.hours, now=now),
        "deadline": f"due {due_at:%a %H:%M %Z}, {working_time(clock.target)} of working time",
    }
