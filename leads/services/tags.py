"""Words that people put on leads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from crm.accounts.models import User
from leads.models import Lead, LeadFact, Tag
from leads.normalise import NotText, clean_text
from leads.signals import leads_changed

LONGEST_TAG = 40
MOST_TAGS = 50


class TagRefused(ValueError):
    """A word that cannot be a tag; the message says why."""


def clean_tag(text: str) -> str:
    """Return a tag as it is stored: single spaces, no case is changed.

    Raises:
        TagRefused: when it is empty, too long or no text.
    """
    try:
        tag = " ".join(clean_text(text).split())
    except NotText as problem:
        raise TagRefused(f"The tag {problem}.") from problem
    if not tag:
        raise TagRefused("The tag is empty.")
    if len(tag) > LONGEST_TAG:
        raise TagRefused(f"The tag is longer than {LONGEST_TAG} characters.")
    return tag


@transaction.atomic
def set_tags(*, leads: Sequence[Lead], actor: User, now: datetime) -> None:
    """Write the tags that ``leads``, which the caller has locked, have in memory; announce it."""
    if not leads:
        return
    Lead.objects.bulk_update(leads, ["tags"])
    words = sorted({tag for lead in leads for tag in lead.tags})
    Tag.objects.bulk_create([Tag(name=word) for word in words], ignore_conflicts=True)
    LeadFact.objects.bulk_create(
        LeadFact(lead=lead, field="tags", value=lead.tags, recorded_at=now, actor=actor)
        for lead in leads
    )
    leads_changed.send(sender=Lead, lead_ids=[lead.pk for lead in leads], now=now)
