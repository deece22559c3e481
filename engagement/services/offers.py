"""The offers that leads can accept."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from engagement.models import Offer
from engagement.services.assets import SlugTaken


def create_offer(*, slug: str, **fields: Any) -> Offer:
    """Make an offer; ``fields`` are the other columns of Offer.

    Raises:
        SlugTaken: another offer has the slug.
    """
    try:
        with transaction.atomic():
            return Offer.objects.create(slug=slug, **fields)
    except IntegrityError as error:
        if Offer.objects.filter(slug=slug).exists():
            raise SlugTaken from error
        raise


def update_offer(*, offer_id: int, **fields: Any) -> None:
    """Change an offer from now on; ``fields`` are columns of Offer."""
    Offer.objects.filter(pk=offer_id).update(**fields)
