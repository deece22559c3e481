"""What forms tell on the timeline of a lead, beside the act itself."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from crm.common.slots import TimelineEntry
from engagement.answers import catalogue, words
from engagement.models import Submission

DIFFERENCES = PreparedQuery(
    lambda lead, before: (
        Submission.objects.filter(lead_id=lead, received_at__lt=before)
        .exclude(differences={})
        .select_related("form")
        .order_by("-received_at")
    )
)


def difference_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return where answers contradict what was known of a lead; a ``TimelineSource``."""
    del viewer
    found = DIFFERENCES.newest(lead_id, before, limit)
    labels = catalogue() if found else {}
    return [_entry(submission, labels) for submission in found]


def _entry(submission: Submission, labels: dict[str, str]) -> TimelineEntry:
    said = ", ".join(
        f"{labels.get(name, name)} {words(name, said)}"
        for name, (_, said) in submission.differences.items()
    )
    return TimelineEntry(
        at=submission.received_at,
        kind="acts",
        icon="message-square-diff",
        title=f"Said otherwise: {said}",
        detail=f"In the form {submission.form}. What was known stays",
        tone="system",
    )
