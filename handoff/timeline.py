"""What a lead's timeline tells of its handoffs; the moves of the stage are told by ``leads``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Prefetch
from django.utils import timezone

from crm.accounts.models import User
from crm.common.slots import TimelineEntry
from handoff.enums import ClockKind, TouchChannel, TouchOutcome
from handoff.evidence import CONNECTED
from handoff.models import AssignmentDecision, BantAssessment, Clock, Handoff, Touch

_CHANNEL_ICONS = {
    TouchChannel.CALL: "phone",
    TouchChannel.EMAIL: "mail",
    TouchChannel.MEETING: "calendar-check",
}


def handoff_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return decisions, touches, breaches and verdicts, newest first; a ``TimelineSource``.

    A lead has few handoffs with few lines each, so all are read and the newest are kept.
    """
    del viewer
    decisions = AssignmentDecision.objects.select_related("chosen")
    touches = Touch.objects.select_related("rep")
    breached = Clock.objects.filter(breached_at__isnull=False).select_related("answerable")
    handoffs = Handoff.objects.filter(lead=lead_id).select_related("bant").defer("brief")
    handoffs = handoffs.prefetch_related(
        Prefetch("decisions", decisions), Prefetch("touches", touches), Prefetch("clocks", breached)
    )
    entries = [entry for handoff in handoffs for entry in _entries(handoff)]
    asked = [entry for entry in entries if before is None or entry.at < before]
    asked.sort(key=lambda entry: (entry.at, entry.tail), reverse=True)
    oldest = asked[:limit][-1].at if asked else None
    return [entry for entry in asked if oldest is None or entry.at >= oldest]


def _entries(handoff: Handoff) -> Iterator[TimelineEntry]:
    yield from (_decision(decision, handoff) for decision in handoff.decisions.all())
    yield from (_touch(touch) for touch in handoff.touches.all())
    yield from (_breach(clock, handoff) for clock in handoff.clocks.all())
    bant: BantAssessment | None = getattr(handoff, "bant", None)
    if bant and bant.submitted_at:
        yield _verdict(bant, bant.submitted_at, handoff)


def _decision(decision: AssignmentDecision, handoff: Handoff) -> TimelineEntry:
    return TimelineEntry(
        at=decision.decided_at,
        kind="sales",
        icon="arrow-right-from-line",
        title=f"Handed to {decision.chosen}" if decision.chosen else "Put into the pool",
        detail=f"{decision.rule}. {_considered(decision)}",
        tone="system",
        url=handoff.get_absolute_url(),
        tail=f"decision {decision.pk:012}",
    )


def _considered(decision: AssignmentDecision) -> str:
    """Say how many were considered; of a single one, why it was that one."""
    lines = decision.candidates
    if not lines:
        return "Nobody could be considered."
    reason: str = lines[0]["reason"]
    return reason if len(lines) == 1 else f"{len(lines)} considered."


def _touch(touch: Touch) -> TimelineEntry:
    channel, outcome = TouchChannel(touch.channel), TouchOutcome(touch.outcome)
    said = [f"{touch.rep}.", touch.note]
    if touch.is_backdated:
        written_at = timezone.localtime(touch.recorded_at)
        said.append(f"Written down {written_at.day} {written_at:%b}, stopped no clock.")
    return TimelineEntry(
        at=touch.occurred_at,
        kind="sales",
        icon=_CHANNEL_ICONS[channel],
        title=f"{channel.label}: {outcome.label.lower()}",
        detail=" ".join(filter(None, said)),
        tag="Connected" if outcome in CONNECTED else "Attempted",
        tail=f"touch {touch.pk:012}",
    )


def _breach(clock: Clock, handoff: Handoff) -> TimelineEntry:
    who = f"With {clock.answerable}." if clock.answerable else "In the pool, with nobody."
    return TimelineEntry(
        at=clock.due_at,
        kind="sales",
        icon="octagon-alert",
        title=f"{ClockKind(clock.kind).label} clock breached",
        detail=who,
        url=handoff.get_absolute_url(),
        tail=f"breach {clock.pk:012}",
    )


def _verdict(bant: BantAssessment, at: datetime, handoff: Handoff) -> TimelineEntry:
    answers = ", ".join(
        f"{question} {answer.label.lower()}" for question, answer in bant.answers.items()
    )
    proposed = bant.get_proposed_verdict_display()
    differs = bant.verdict != bant.proposed_verdict
    override = f" Proposed was {proposed}: {bant.override_reason}" if differs else ""
    return TimelineEntry(
        at=at,
        kind="sales",
        icon="clipboard-check",
        title=f"BANT recorded: {bant.get_verdict_display()}",
        detail=f"{answers.capitalize()}.{override}",
        url=handoff.get_absolute_url(),
        tail=f"verdict {handoff.pk:012}",
    )
