"""The sample of disqualified leads that a marketer reviews."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q

from crm.accounts.models import User
from leads.enums import LifecycleStage
from leads.models import StageInterval
from leads.services import change_stage, lock_leads
from scoring.enums import ReviewVerdict
from scoring.models import DisqualificationReview


class AlreadyReviewed(Exception):
    """Somebody else said what is to be said of it; nothing is changed."""

    def __init__(self, review: DisqualificationReview) -> None:
        """Compose the sentence a person reads."""
        who = f" by {review.reviewed_by}" if review.reviewed_by else ""
        super().__init__(f"Reviewed{who} already: {review.get_verdict_display().lower()}")


class ReasonMissing(Exception):
    """A lead is brought back without saying why."""

    def __init__(self) -> None:
        """Compose the sentence a person reads."""
        super().__init__("Say why the lead comes back: it helps to mend the rule")


@dataclass(frozen=True, slots=True)
class ReviewFigure:
    """How many reviewed disqualifications were right, of one reason or of all (``reason`` empty).

    ``waiting`` of the sample are not reviewed yet.
    """

    reason: str
    right: int
    reviewed: int
    waiting: int


def draw_of(change: StageInterval) -> int:
    """Return 0 to 99 for a move, always the same one: nobody chooses who is reviewed."""
    name = f"{change.lead_id}:{change.sequence}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % 100


def draw_for_review(*, change: StageInterval, percent: int) -> DisqualificationReview | None:
    """Put a disqualification into the sample if it is drawn; in the transaction of the move."""
    draw = draw_of(change)
    if draw >= percent:
        return None
    return DisqualificationReview.objects.create(change=change, draw=draw, percent=percent)


@transaction.atomic
def confirm_disqualification(*, review_id: int, actor: User, now: datetime) -> None:
    """Keep that a disqualification was right.

    Raises:
        AlreadyReviewed: when somebody was faster.
    """
    review = _open_review(review_id)
    _close(review, ReviewVerdict.RIGHT, actor=actor, at=now)


@transaction.atomic
def bring_back(*, review_id: int, actor: User, reason: str, now: datetime) -> None:
    """Bring a lead back that a rule had disqualified; that rule lets it be until there is news.

    Raises:
        AlreadyReviewed: when somebody was faster.
        ReasonMissing: when ``reason`` is blank.
    """
    if not reason.strip():
        raise ReasonMissing
    lead_id = DisqualificationReview.objects.values_list("change__lead", flat=True).get(
        pk=review_id
    )
    lock_leads([lead_id])  # before the review, as whoever moves the lead elsewhere does
    _open_review(review_id)
    change_stage(
        lead_id=lead_id,
        to_stage=LifecycleStage.LEAD,
        now=now,
        actor=actor,
        reason=reason.strip()[:200],
    )  # its announcement closes the review


def close_review(*, change: StageInterval) -> None:
    """Take the review of a lead for done that somebody brought back, wherever they did it.

    Where no person did, nobody judged and nothing is left to judge: it leaves the sample.
    """
    waiting = DisqualificationReview.objects.filter(change__lead=change.lead_id, verdict="")
    if change.actor is None:
        waiting.delete()
    for review in waiting.select_for_update(of=["self"]):
        _close(
            review, ReviewVerdict.BACK, actor=change.actor, at=change.started_at,
            reason=change.reason,
        )  # fmt: skip


def review_figures() -> Sequence[ReviewFigure]:
    """Return the figure of all reasons, then of each, the most often reviewed first."""
    is_open, is_right = Q(verdict=""), Q(verdict=ReviewVerdict.RIGHT)
    found = DisqualificationReview.objects.values("change__reason").annotate(
        right=Count("id", filter=is_right),
        reviewed=Count("id", filter=~is_open),
        waiting=Count("id", filter=is_open),
    )
    figures = [
        ReviewFigure(row["change__reason"], row["right"], row["reviewed"], row["waiting"])
        for row in found
    ]
    figures.sort(key=lambda figure: (-figure.reviewed, figure.reason))
    right, reviewed, waiting = (
        sum(getattr(figure, name) for figure in figures)
        for name in ("right", "reviewed", "waiting")
    )
    return [ReviewFigure("", right, reviewed, waiting), *figures]


def _open_review(review_id: int) -> DisqualificationReview:
    reviews = DisqualificationReview.objects.select_related("change", "reviewed_by")
    review = reviews.select_for_update(of=["self"]).get(pk=review_id)
    if review.verdict:
        raise AlreadyReviewed(review)
    return review


def _close(
    review: DisqualificationReview,
    verdict: ReviewVerdict,
    *,
    actor: User | None,
    at: datetime,
    reason: str = "",
) -> None:
    review.verdict, review.reviewed_by, review.reviewed_at = verdict, actor, at
    review.reason = reason
    review.save(update_fields=["verdict", "reviewed_by", "reviewed_at", "reason"])
