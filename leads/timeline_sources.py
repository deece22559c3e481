"""What leads itself tells on a timeline: its stages, notes, deals."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.models import User
from crm.common.prepared import FAR, PreparedQuery
from crm.common.slots import TimelineEntry
from leads.enums import DealOutcome, LifecycleStage
from leads.models import Deal, Lead, Note, StageInterval
from leads.normalise import source_label

_STAGE_ICONS = {
    LifecycleStage.LEAD: "undo-2",
    LifecycleStage.MQL: "target",
    LifecycleStage.SAL: "circle-check",
    LifecycleStage.SQL: "badge-check",
    LifecycleStage.WON: "trophy",
    LifecycleStage.LOST: "circle-x",
    LifecycleStage.RECYCLED: "refresh-cw",
    LifecycleStage.DISQUALIFIED: "ban",
}
#: Which rule of the recycling woke the lead.
_CAME, _ACTED = "The day came that was set when it was recycled", "It acted after it was recycled"
_DEAL_ICONS = {DealOutcome.WON: "handshake", DealOutcome.LOST: "circle-x"}

_MOVES = PreparedQuery(
    lambda lead, before: (
        StageInterval.objects.filter(lead_id=lead, started_at__lt=before)
        .select_related("actor", "lead")
        .order_by("-started_at")
    )
)
NOTES = PreparedQuery(
    lambda lead, before: (
        Note.objects.filter(lead_id=lead, created_at__lt=before)
        .select_related("author")
        .order_by("-created_at")
    )
)
DEALS = PreparedQuery(
    lambda lead, before: (
        Deal.objects.filter(lead_id=lead, closed_at__lt=before)
        .select_related("owner")
        .order_by("-closed_at")
    )
)


def stage_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return the moves of a lead through the lifecycle, and its wakings; a ``TimelineSource``."""
    del viewer
    entries = []
    for move in _MOVES.newest(lead_id, before, limit):
        if move.woken_at and move.woken_at < (before or FAR):
            entries.append(_waking(move, move.woken_at))
        entries.append(_stage(move))
    oldest = entries[:limit][-1].at if entries else None
    return [entry for entry in entries if oldest is None or entry.at >= oldest]


def note_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what people wrote about a lead; a ``TimelineSource``."""
    del viewer
    return [_note(note) for note in NOTES.newest(lead_id, before, limit)]


def deal_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what a lead turned into; a ``TimelineSource``."""
    del viewer
    return [_deal(deal) for deal in DEALS.newest(lead_id, before, limit)]


def _stage(move: StageInterval) -> TimelineEntry:
    stage = LifecycleStage(move.stage)
    is_capture = move.sequence == 1
    return TimelineEntry(
        at=move.started_at,
        kind="score" if move.model_version else "sales",
        icon="user-plus" if is_capture else _STAGE_ICONS[stage],
        title=_captured(move.lead) if is_capture else _became(move, stage),
        detail=_circumstances(move),
        tag="Override" if move.is_override else move.cell,
        tone="system" if is_capture else "stage",
    )


def _waking(move: StageInterval, at: datetime) -> TimelineEntry:
    return TimelineEntry(
        at=at,
        kind="sales",
        icon="alarm-clock",
        title="Woke up: to be looked at again",
        detail=_ACTED if move.is_woken_by_act else _CAME,
        tone="system",
    )


def _captured(lead: Lead) -> str:
    return f"Captured from {source_label(lead.source)}" if lead.source else "Captured"


def _became(move: StageInterval, stage: LifecycleStage) -> str:
    cycle = f", cycle {move.cycle}" if move.cycle > 1 else ""
    return f"{'Back to' if stage is LifecycleStage.LEAD else 'Became'} {stage.label}{cycle}"


def _circumstances(move: StageInterval) -> str:
    """Return who or what moved the lead, why, and how it was scored then."""
    parts = [
        f"By {move.actor}" if move.actor else move.rule,
        f"Reason: {move.reason}" if move.reason else "",
        _score(move),
        "Imported history" if move.is_imported else "",
    ]
    return ". ".join(part for part in parts if part)


def _score(move: StageInterval) -> str:
    """Return the score of that moment, and its model where the rule does not name it already."""
    parts = [
        f"fit {move.fit_score}" if move.fit_score is not None else "",
        f"engagement {move.engagement_score}" if move.engagement_score is not None else "",
        f"model v{move.model_version}" if move.model_version else "",
    ]
    words = ", ".join(part for part in parts if part and part not in move.rule)
    return words[:1].upper() + words[1:]


def _note(note: Note) -> TimelineEntry:
    return TimelineEntry(
        at=note.created_at,
        kind="sales",
        icon="sticky-note",
        title=f"Note by {note.author}",
        detail=note.text,
    )


def _deal(deal: Deal) -> TimelineEntry:
    outcome = DealOutcome(deal.outcome)
    value = f"{deal.value:,.2f} {deal.currency}".strip() if deal.value is not None else ""
    owner = str(deal.owner) if deal.owner else deal.owner_name
    parts = [value, deal.product, f"Closed by {owner}" if owner else "", deal.flag]
    return TimelineEntry(
        at=deal.closed_at,
        kind="sales",
        icon=_DEAL_ICONS[outcome],
        title=f"Deal {outcome.label.lower()}",
        detail=". ".join(part for part in parts if part),
        tag="Flagged" if deal.flag else "",
    )
