"""What forms tell on the timeline of a lead, beside the act itself."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.models import User
from crm.common.paging import newest
from crm.common.slots import TimelineEntry
from engagement.answers import catalogue, words
from engagement.models import Submission


def difference_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return where answers contradict what was known of a lead; a ``TimelineSource``."""
    del viewer
    told = Submission.objects.filter(lead=lead_id).exclude(differences={}).select_related("form")
    found = newest(told, "received_at", before=before, limit=limit)
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
        tail=f"submission-{submission.pk}",
    )
