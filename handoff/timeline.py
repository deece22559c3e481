"""What a lead's timeline tells of its handoffs; the moves of the stage are told by ``leads``."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from crm.accounts.models import User
from crm.common.addresses import page_of
from crm.common.prepared import FAR, PreparedQuery
from crm.common.slots import TimelineEntry
from crm.common.ui.words import working_time
from handoff.enums import Alarm, Approval, ClockKind, DecisionKind, TouchChannel, TouchOutcome
from handoff.evidence import CONNECTED
from handoff.models import AssignmentDecision, BantAssessment, Clock, Touch

_CHANNEL_ICONS = {
    TouchChannel.CALL: "phone",
    TouchChannel.EMAIL: "mail",
    TouchChannel.MEETING: "calendar-check",
}

_DECISION_ICONS = {DecisionKind.REBASED: "calendar-clock", DecisionKind.ENDED: "undo-2"}

#: What a touch that was written down late proves about deadlines, by what a manager said.
_COUNTS = {
    Approval.PENDING: "counts once a manager approves",
    Approval.GRANTED: "counts from when it happened",
    Approval.REFUSED: "stopped no clock",
}

_READ_OF_BREACHES = (
    "kind", "target", "due_at", "escalate_at", "stopped_at", "withdrawn_at", "excused_at", "alarm",
    "answerable__full_name", "answerable__email", "handoff__agreement__version",
)  # fmt: skip
DECISIONS = PreparedQuery(
    lambda lead, before: (
        AssignmentDecision.objects.filter(handoff__lead_id=lead)
        .filter(decided_at__lt=before)
        .select_related("chosen")
        .order_by("-decided_at")
    )
)
TOUCHES = PreparedQuery(
    lambda lead, before: (
        Touch.objects.filter(handoff__lead_id=lead, occurred_at__lt=before)
        .select_related("rep")
        .order_by("-occurred_at")
    )
)
BREACHES = PreparedQuery(
    lambda lead, before: (
        Clock.objects.filter(handoff__lead_id=lead, due_at__lt=before)
        .filter(breached_at__isnull=False)
        .select_related("answerable", "handoff__agreement")
        .only(*_READ_OF_BREACHES)
        .order_by("-due_at")
    )
)
VERDICTS = PreparedQuery(
    lambda lead, before: (
        BantAssessment.objects.filter(handoff__lead_id=lead)
        .filter(submitted_at__lt=before)
        .order_by("-submitted_at")
    )
)


def decision_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return to whom a lead was handed, and when that ended; a ``TimelineSource``.

    Here as below, what happened by itself names the rule: of routing, or the agreement.
    """
    del viewer
    return [_decision(each) for each in DECISIONS.newest(lead_id, before, limit)]


def touch_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what sales did to reach a lead; a ``TimelineSource``."""
    del viewer
    return [_touch(each) for each in TOUCHES.newest(lead_id, before, limit)]


def breach_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return breaches, and of whom managers were told; a ``TimelineSource``."""
    del viewer
    breaches = BREACHES.newest(lead_id, before, limit)
    escalated = [each for each in breaches if _was_escalated(each, before or FAR)]
    entries = [*map(_escalation, escalated), *map(_breach, breaches)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return [entry for entry in entries if entry.at >= entries[:limit][-1].at]


def verdict_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what reps concluded of a lead; a ``TimelineSource``."""
    del viewer
    found = VERDICTS.newest(lead_id, before, limit)
    return [_verdict(bant, bant.submitted_at) for bant in found if bant.submitted_at]


def _decision(decision: AssignmentDecision) -> TimelineEntry:
    title, icon = _said(decision)
    return TimelineEntry(
        at=decision.decided_at,
        kind="sales",
        icon=icon,
        title=title,
        detail=f"{decision.rule}. {_considered(decision)}".rstrip(),
        tone="system",
        url=_address(decision.handoff_id),
    )


def _said(decision: AssignmentDecision) -> tuple[str, str]:
    """Return what was decided, and its icon."""
    if decision.kind != DecisionKind.HANDED:
        return decision.get_kind_display(), _DECISION_ICONS[DecisionKind(decision.kind)]
    title = f"Handed to {decision.chosen}" if decision.chosen else "Put into the pool"
    return title, "arrow-right-from-line"


def _considered(decision: AssignmentDecision) -> str:
    """Say how many were considered; of a single one, why it was that one."""
    lines = decision.candidates
    if decision.kind == DecisionKind.ENDED:
        return ""
    if not lines:
        return "Nobody could be considered."
    reason: str = lines[0]["reason"]
    return reason if len(lines) == 1 else f"{len(lines)} considered."


def _touch(touch: Touch) -> TimelineEntry:
    channel, outcome = TouchChannel(touch.channel), TouchOutcome(touch.outcome)
    said = [f"{touch.rep}.", touch.note]
    if touch.is_backdated:
        written_at = timezone.localtime(touch.recorded_at)
        said.append(
            f"Written down {written_at.day} {written_at:%b}, {_COUNTS[Approval(touch.approval)]}."
        )
    return TimelineEntry(
        at=touch.occurred_at,
        kind="sales",
        icon=_CHANNEL_ICONS[channel],
        title=f"{channel.label}: {outcome.label.lower()}",
        detail=" ".join(filter(None, said)),
        tag="Connected" if outcome in CONNECTED else "Attempted",
    )


def _breach(clock: Clock) -> TimelineEntry:
    who = f"With {clock.answerable}." if clock.answerable else "Nobody had the time."
    return TimelineEntry(
        at=clock.due_at,
        kind="sales",
        icon="octagon-alert",
        title=f"{ClockKind(clock.kind).label} clock breached",
        detail=f"{who} {_rule(clock)}: {working_time(clock.target)} of working time.",
        tag="Excused" if clock.excused_at else "",
        url=_address(clock.handoff_id),
    )


def _was_escalated(clock: Clock, before: datetime) -> bool:
    """Say whether managers were told later than the holder: at once is part of the breach."""
    if clock.alarm == Alarm.ESCALATE or not clock.due_at < clock.escalate_at < before:
        return False
    return clock.ended_at is None or clock.ended_at > clock.escalate_at


def _escalation(clock: Clock) -> TimelineEntry:
    return TimelineEntry(
        at=clock.escalate_at,
        kind="sales",
        icon="octagon-alert",
        title=f"{ClockKind(clock.kind).label} clock escalated to the managers",
        detail=f"Still unanswered. {_rule(clock)}.",
        tone="system",
        url=_address(clock.handoff_id),
    )


def _rule(clock: Clock) -> str:
    """Return what set the deadline and says who is told of it."""
    return str(clock.handoff.agreement or "Default policy")


def _verdict(bant: BantAssessment, at: datetime) -> TimelineEntry:
    answers = ", ".join(
        f"{label.lower()} {answer.label.lower()}"
        for label, answer in zip(bant.labels, bant.answers.values(), strict=True)
    )
    proposed = bant.get_proposed_verdict_display()
    differs = bant.verdict != bant.proposed_verdict
    override = f" Proposed was {proposed}: {bant.override_reason}" if differs else ""
    return TimelineEntry(
        at=at,
        kind="sales",
        icon="clipboard-check",
        title=f"{bant.framework} recorded: {bant.get_verdict_display()}",
        detail=f"{answers.capitalize()}.{override}",
        url=_address(bant.handoff_id),
    )


def _address(handoff_id: int) -> str:
    return page_of("handoff:handoff", handoff_id)
