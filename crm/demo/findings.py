"""What was known of a lead at a handoff of the past, without a query for each.

Says in memory what ``handoff.services.briefs.find_out`` reads from the log; a test holds the two
equal.
"""

from __future__ import annotations

from datetime import datetime

from crm.demo.behaviour import Act as Deed
from crm.demo.capture import LAG, Chronicle, name_of
from crm.demo.library import BY_SLUG
from engagement.acts import act_title
from engagement.enums import EventKind
from handoff.brief import BUYING_ACTS, Act, why_line
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
    buying = {act.kind for act in definition.fast_track if act.shortest_tier}
    earliest = max(cycle_start, at - definition.fast_track_within)
    is_fast_track = any(deed.kind in buying and deed.at > earliest for deed in deeds)
    hand_raise = next((deed for deed in deeds if deed.kind in BUYING_ACTS), None)
    acts = [_act(deed) for deed in deeds]
    return Findings(
        acts=acts,
        told=told_by_forms((deed.properties, _source(deed)) for deed in deeds),
        score=score,
        is_fast_track=is_fast_track,
        raised_at=hand_raise.at + LAG if is_fast_track and hand_raise else at,
        why=why_line(acts, _strongest(score), change.rule),
    )


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
