"""What was known of a lead at a handoff of the past, without a query for each.

Says in memory what ``handoff.services.briefs.find_out`` reads from the log; a test holds the two
equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crm.demo.behaviour import Act as Deed
from crm.demo.capture import LAG, Chronicle, name_of
from crm.demo.library import BY_SLUG
from engagement.acts import act_title
from engagement.enums import EventKind
from handoff.brief import Act, why_line
from handoff.frameworks import DEFAULT_QUALIFICATION
from handoff.prefill import told_by_forms
from handoff.services.briefs import Findings
from leads.models import StageInterval
from scoring.definition import Definition
from scoring.explanation import Explanation


def find_out(
    definition: Definition,
    chronicle: Chronicle,
    change: StageInterval,
    score: Explanation,
    *,
    cycle_start: datetime,
) -> Findings:
    """Return what was known when ``change`` made the lead an MQL.

    ``cycle_start`` is when the lead was recycled last; buying acts before it do not count.
    """
    at = change.started_at
    deeds = [deed for deed in reversed(chronicle.acts) if deed.at <= at and not deed.machine]
    earliest = max(cycle_start, at - definition.fast_track_within)
    raised = _hand_raise(definition, [deed for deed in deeds if deed.at > earliest])
    hand_raise = _act(raised) if raised else None
    return Findings(
        acts=[_act(deed) for deed in deeds],
        hand_raise=hand_raise,
        told=told_by_forms(
            ((deed.properties, _source(deed)) for deed in deeds), DEFAULT_QUALIFICATION.questions
        ),
        score=score,
        is_fast_track=raised is not None and raised.kind in _shortest(definition),
        raised_at=raised.at + LAG if raised else at,
        why=why_line(hand_raise, _strongest(score), change.rule),
    )


def _hand_raise(definition: Definition, deeds: Sequence[Deed]) -> Deed | None:
    """Return the first buying act; one for the shortest tier comes before the others."""
    buying, shortest = {act.kind for act in definition.fast_track}, _shortest(definition)
    asked = (deed for deed in deeds if deed.kind in buying)
    return min(asked, key=lambda deed: (deed.kind not in shortest, deed.at), default=None)


def _shortest(definition: Definition) -> set[EventKind]:
    return {act.kind for act in definition.fast_track if act.shortest_tier}


def _strongest(score: Explanation) -> list[str]:
    return [line.text for line in score.engagement_lines if line.points > 0]


def _act(deed: Deed) -> Act:
    piece = BY_SLUG.get(deed.asset)
    asset = piece.name if piece else ""
    title = act_title(kind=deed.kind, name=name_of(deed), asset=asset)
    return Act(kind=deed.kind, at=deed.at, title=title, asset=asset)


def _source(deed: Deed) -> str:
    name = name_of(deed) or EventKind(deed.kind).label
    return f"{name}, {deed.at.day} {deed.at:%b}"
