"""Assets, files, offers and webinars to test with."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from engagement.enums import FunnelStage, OfferKind
from engagement.models import Asset, AssetFile, Offer, Webinar
from engagement.services import create_asset
from engagement.services.files import keep_file
from tests.factories import NOW

PDF = b"%PDF-1.4\nThe first maintenance plan\n%%EOF\n"
_numbers = count(1)


def make_asset(**fields: Any) -> Asset:
    """Make an asset, by default in the middle of the funnel."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "name": f"Asset {number}",
        "slug": f"asset-{number}",
        "funnel_stage": FunnelStage.MOFU,
    }
    return create_asset(**{**defaults, **fields})


def make_file(asset: Asset, content: bytes = PDF, name: str = "plan.pdf") -> AssetFile:
    """Put a file behind an asset."""
    upload = SimpleUploadedFile(name, content)
    return keep_file(asset_id=asset.pk, upload=upload, now=NOW, by=None)


def make_offer(**fields: Any) -> Offer:
    """Make an offer, by default of a demo."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "name": f"Offer {number}",
        "slug": f"offer-{number}",
        "kind": OfferKind.DEMO,
    }
    return Offer.objects.create(**{**defaults, **fields})


def make_webinar(**fields: Any) -> Webinar:
    """Make a webinar that began yesterday, with an asset of its own."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "name": f"Webinar {number}",
        "slug": f"webinar-{number}",
        "starts_at": NOW - timedelta(days=1),
        "time_zone": "Europe/Berlin",
    }
    defaults |= fields
    return Webinar.objects.create(**{"asset": defaults.get("asset") or make_asset(), **defaults})
