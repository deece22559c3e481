"""Webinars, and who came to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from engagement.enums import AssetKind, EventKind, FunnelStage
from engagement.models import Asset, Webinar
from engagement.services.assets import SlugTaken, create_asset
from engagement.services.attendance import Attendance, record_attendance
from engagement.slices import Slice, Step, Subject, slice_q
from leads.models import Lead


class NotOver(Exception):
    """The webinar has not begun yet: nobody can have missed it."""


@transaction.atomic
def create_webinar(*, slug: str, asset: Asset | None, **fields: Any) -> Webinar:
    """Make a webinar, with an asset of its name unless it has one.

    Raises:
        SlugTaken: another webinar, or another asset, has the slug.
    """
    made = asset or create_asset(
        name=fields["name"],
        slug=slug,
        funnel_stage=FunnelStage.MOFU,
        kind=AssetKind.WEBINAR,
    )
    try:
        with transaction.atomic():
            return Webinar.objects.create(slug=slug, asset=made, **fields)
    except IntegrityError as error:
        if Webinar.objects.filter(slug=slug).exists():
            raise SlugTaken from error
        raise


def update_webinar(*, webinar_id: int, name: str, starts_at: datetime, time_zone: str) -> None:
    """Change a webinar. Its asset stays: what people did about the webinar is found by it."""
    Webinar.objects.filter(pk=webinar_id).update(
        name=name, starts_at=starts_at, time_zone=time_zone
    )


def mark_no_shows(*, webinar_id: int, now: datetime) -> int:
    """Record that everybody who registered and is not known to have come has not; return how many.

    Safe to repeat: whoever is marked is not asked about again.

    Raises:
        NotOver: it has not begun at ``now``.
    """
    webinar = Webinar.objects.get(pk=webinar_id)
    if webinar.starts_at > now:
        raise NotOver
    missing = Slice(Subject.WEBINAR, webinar, Step.UNANSWERED)
    leads = Lead.objects.filter(slice_q(missing)).order_by("pk").values_list("pk", flat=True)
    at = webinar.starts_at
    missed: Iterator[Attendance] = (
        (pk, EventKind.WEBINAR_NO_SHOW, at, {}) for pk in leads.iterator()
    )
    return len(record_attendance(webinar=webinar, people=missed, now=now))
