"""What a lead's handoff adds to the lead list and the lead page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from crm.accounts.models import User
from crm.common.ui.badges import SlaBadge
from crm.common.ui.words import working_time
from handoff.badges import clock_badge
from handoff.bant import QUESTIONS
from handoff.enums import BantAnswer
from handoff.models import Clock, Handoff
from handoff.queue import answers_of
from leads.models import Lead


def sla_badges(lead_ids: Sequence[int], viewer: User, now: datetime) -> Mapping[int, SlaBadge]:
    """Return the clock that falls due next per lead with an open handoff; one query.

    ``viewer`` may see these leads, and with a lead how its handoff stands.
    """
    del viewer
    clocks = (
        Clock.objects.running()
        .filter(handoff__lead__in=lead_ids, handoff__closed_at__isnull=True)
        .select_related("handoff__calendar")
        .order_by("handoff__lead", "due_at", "id")
        .distinct("handoff__lead")
    )
    return {
        clock.handoff.lead_id: clock_badge(clock, clock.handoff.calendar.hours, now=now)
        for clock in clocks
    }


def header(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return the deadline and the next act of the open handoff; None without one."""
    handoff = _visible(lead, viewer).open().first()
    clock = handoff.clocks.running().order_by("due_at", "id").first() if handoff else None
    if handoff is None or clock is None:
        return None
    due_at = timezone.localtime(clock.due_at)
    return {
        "handoff": handoff,
        "badge": clock_badge(clock, handoff.calendar.hours, now=now),
        "deadline": f"due {due_at:%a %H:%M %Z}, {working_time(clock.target)} of working time",
        "is_workable": handoff.is_workable_by(viewer),
    }


def bant(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return how far BANT is, of the newest handoff; None before the first."""
    del now
    handoff = _newest(lead, viewer)
    if handoff is None:
        return None
    answers = answers_of(handoff)
    words = {BantAnswer(code).label.lower() for code in answers}
    return {
        "handoff": handoff,
        "answers": answers,
        "lines": [
            (question.capitalize(), BantAnswer(code).label)
            for question, code in zip(QUESTIONS, answers, strict=True)
        ],
        "is_untouched": words == {BantAnswer.NOT_ASKED.label.lower()},
        "is_workable": handoff.is_workable_by(viewer),
    }


def brief(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return the frozen brief of the newest handoff; None before the first."""
    del now
    handoff = _newest(lead, viewer)
    return {"handoff": handoff, "brief": handoff.readable_brief} if handoff else None


def _visible(lead: Lead, viewer: User) -> Any:
    return Handoff.objects.visible_to(viewer).filter(lead=lead).for_display()


def _newest(lead: Lead, viewer: User) -> Handoff | None:
    newest: Handoff | None = _visible(lead, viewer).order_by("-opened_at", "-id").first()
    return newest
