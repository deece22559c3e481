"""What a lead did follows it into another one, and comes back.

Acts change hands by the statement, with a mark of whose they were. A lead with very many is not
waited for: those above ``AT_ONCE`` follow from a sweep, piece by piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Model

from crm.common.health import beat
from engagement.models import AttendanceRow, Event, Submission, Visitor, VisitorLink
from engagement.services.event_log import withdraw_consents
from engagement.signals import history_corrected
from leads.merged_rows import counted
from leads.merging import Follower, Kept, rekey, rekey_back
from leads.models import Lead, LeadMerge
from leads.services import begin_to_merge, family_of, lock_leads, recall_activity, record_activity

#: Acts that change hands in the transaction of a merge: about a second. Our choice.
AT_ONCE = 20_000
#: Acts of one piece of the sweep: those who write to the same leads wait for no longer. Our choice.
PIECE = 5_000
#: Beside the moved rows: the last instant whose acts have moved, while there are more.
_UNTIL = "until"
_ROWS: Sequence[type[Model]] = (Visitor, VisitorLink, Submission, AttendanceRow)

#: The last instant of a piece, nothing where all that is left is one. The whole instant goes along.
_PIECE_OF_MERGED = """
    SELECT occurred_at FROM engagement_event
    WHERE lead_id = %(merged)s AND occurred_at >= %(since)s::timestamptz
    ORDER BY occurred_at OFFSET %(most)s - 1 LIMIT 1
"""
_FOLLOW = """
    UPDATE engagement_event
    SET lead_id = %(survivor)s, merged_from = coalesce(merged_from, lead_id)
    WHERE lead_id = %(merged)s AND occurred_at >= %(since)s::timestamptz
        AND occurred_at <= %(until)s::timestamptz
"""
_PIECE_OF_FAMILY = """
    SELECT occurred_at FROM engagement_event
    WHERE merged_from = ANY(%(family)s) AND lead_id = %(survivor)s
        AND occurred_at >= %(since)s::timestamptz
    ORDER BY occurred_at OFFSET %(most)s - 1 LIMIT 1
"""
_GIVE_BACK = """
    UPDATE engagement_event
    SET lead_id = %(merged)s, merged_from = nullif(merged_from, %(merged)s)
    WHERE merged_from = ANY(%(family)s) AND lead_id = %(survivor)s
        AND occurred_at >= %(since)s::timestamptz AND occurred_at <= %(until)s::timestamptz
"""
#: What the browsers that came along did since: an act belongs to whom its identification names.
_GIVE_LATER_BACK = """
    UPDATE engagement_event SET lead_id = %(merged)s
    WHERE lead_id = %(survivor)s AND link_id = ANY(%(links)s) AND merged_from IS NULL
"""


def hold_visitors(lead_ids: Sequence[int]) -> None:
    """Hold the visitors of leads, as whoever detaches them does before coming to leads."""
    linked = VisitorLink.objects.filter(lead__in=lead_ids).values("visitor")
    theirs = Visitor.objects.filter(lead__in=lead_ids).values("pk").union(linked)
    held = Visitor.objects.filter(pk__in=theirs).order_by("source", "name")
    list(held.select_for_update(no_key=True).values_list("pk", flat=True))


def follow(merge: LeadMerge, now: datetime) -> Kept:
    """Give the survivor what the merged lead did; see ``leads.merging.Follower``."""
    moved: dict[str, Any] = {**rekey(_ROWS, merge)}
    merge.followed["engagement"] = moved
    _move(merge, AT_ONCE)
    _tell(merge, now)
    return moved


def give_back(merge: LeadMerge, now: datetime) -> None:
    """Give the merged lead back what it did; see ``leads.merging.Follower``."""
    moved = merge.followed["engagement"]
    rekey_back(_ROWS, merge, moved)
    if links := moved[VisitorLink._meta.label]:
        _execute(_GIVE_LATER_BACK, {**_names(merge), "links": links})
    _move(merge, AT_ONCE)
    lock_leads([merge.survivor_id])
    recall_activity(lead_id=merge.survivor_id, latest=_latest(merge.survivor_id))
    _tell(merge, now)


def follow_on(*, now: datetime) -> bool:
    """Move one more piece of the merges that have acts left, and say whether any has."""
    for pk in LeadMerge.objects.filter(has_more=True).order_by("pk").values_list("pk", flat=True):
        _follow_on(pk, now)
    left = LeadMerge.objects.filter(has_more=True).count()
    beat("follow_merges", now, left)
    return left > 0


def tell(survivor: Lead, merged: Lead) -> list[str]:
    """Say what will move, and what will come later."""
    del survivor
    acts = Event.objects.filter(lead=merged)[: AT_ONCE + 1].count()
    browsers = VisitorLink.objects.filter(lead=merged, detached_at__isnull=True)
    numbers = {
        "act": acts if acts <= AT_ONCE else 0,
        "browser": browsers.values("visitor").distinct().count(),
        "form": Submission.objects.filter(lead=merged).count(),
    }
    many = [f"more than {AT_ONCE:,} acts, within minutes"] if acts > AT_ONCE else []
    return [*many, *counted(numbers)]


@transaction.atomic
def _follow_on(merge_id: int, now: datetime) -> None:
    """Move a piece unless another sweep is at it."""
    begin_to_merge()
    waiting = LeadMerge.objects.select_for_update(skip_locked=True).filter(has_more=True)
    merge = waiting.filter(pk=merge_id).first()
    if merge is None:
        return
    _move(merge, PIECE, since=merge.followed["engagement"][_UNTIL])
    merge.save(update_fields=["followed", "has_more"])
    if not merge.has_more:
        _tell(merge, now)


def _move(merge: LeadMerge, most: int, *, since: str = "-infinity") -> None:
    """Move about ``most`` acts in the direction of the merge, in their order, and note how far.

    The next piece begins at ``since``: what has moved leaves entries in the index behind.
    """
    names = {**_names(merge), "since": since}
    piece, move = (_PIECE_OF_FAMILY, _GIVE_BACK) if merge.undone_at else (_PIECE_OF_MERGED, _FOLLOW)
    until = _first(piece, {**names, "most": most})
    _execute(move, {**names, "until": until or "infinity"})
    merge.followed["engagement"][_UNTIL] = until.isoformat() if until else None
    merge.has_more = until is not None


def _names(merge: LeadMerge) -> dict[str, Any]:
    names: dict[str, Any] = {"survivor": merge.survivor_id, "merged": merge.merged_id}
    if merge.undone_at:
        names["family"] = [merge.merged_id, *family_of(merge.merged_id)]
    return names


def _tell(merge: LeadMerge, now: datetime) -> None:
    """Tell what follows for both; that acts change hands is no news of the merged lead."""
    lead_ids = sorted((merge.survivor_id, merge.merged_id))
    latest = {lead_id: at for lead_id in lead_ids if (at := _latest(lead_id))}
    record_activity(latest=latest)
    withdraw_consents(lead_ids=lead_ids, now=now)
    history_corrected.send(sender=Event, lead_ids=lead_ids, now=now)


def _latest(lead_id: int) -> datetime | None:
    """Return when a person last did something as this lead."""
    found: dict[str, datetime | None]
    found = Event.objects.human().filter(lead=lead_id).aggregate(at=Max("occurred_at"))
    return found["at"]


def _first(statement: str, names: dict[str, Any]) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, names)
        row = cursor.fetchone()
    return row[0] if row else None


def _execute(statement: str, names: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, names)


ACTS = Follower("engagement", 20, follow, give_back, tell, before=hold_visitors,
                before_undo=hold_visitors)  # fmt: skip
