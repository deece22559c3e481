"""Filling the demo company's library: assets with their files, offers, webinars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from crm.accounts.models import User
from crm.demo.library import (
    BY_SLUG,
    OFFERS,
    PAPERS,
    PIECES,
    WEBINAR_ZONE,
    WEBINARS,
    session_of,
    session_slug,
)
from crm.demo.paper import pdf
from crm.demo.site.pages import SITE_PATH
from engagement.models import Asset
from engagement.services import create_asset
from engagement.services.files import keep_file
from engagement.services.offers import create_offer
from engagement.services.webinars import create_webinar


def stock_library(*, start: datetime, now: datetime, by: User) -> dict[str, Asset]:
    """Write what there is to read, to accept and to attend; return the assets by their slugs."""
    assets = {
        piece.slug: create_asset(
            name=piece.name,
            slug=piece.slug,
            kind=piece.kind,
            funnel_stage=piece.funnel_stage,
            persona=piece.persona,
            patterns=[piece.path, f"{SITE_PATH}{piece.path}"],
        )
        for piece in PIECES
    }
    for slug, lines in PAPERS.items():
        paper = SimpleUploadedFile(f"{slug}.pdf", pdf(BY_SLUG[slug].name, lines))
        keep_file(asset_id=assets[slug].pk, upload=paper, now=start, by=by)
    _make_offers(assets, now)
    _plan_webinars(assets, start, now)
    return assets


def _make_offers(assets: Mapping[str, Asset], now: datetime) -> None:
    for offer in OFFERS:
        ends = now + timedelta(days=offer.days_left) if offer.days_left else None
        create_offer(
            slug=offer.slug,
            name=offer.name,
            kind=offer.kind,
            text=offer.text,
            asset=assets[offer.asset],
            is_fast_track=offer.is_fast_track,
            expires_at=ends,
        )


def _plan_webinars(assets: Mapping[str, Asset], start: datetime, now: datetime) -> None:
    """Hold each webinar once a month, from the month before the start to next month."""
    for month in _months(start.date(), now.date()):
        for slug in WEBINARS:
            starts_at = session_of(slug, month)
            create_webinar(
                slug=session_slug(slug, starts_at),
                name=assets[slug].name,
                starts_at=starts_at,
                time_zone=WEBINAR_ZONE,
                asset=assets[slug],
            )


def _months(first: date, last: date) -> Iterator[date]:
    """Yield the first day of each month, one before that of ``first`` to one after ``last``."""
    month = (first.replace(day=1) - timedelta(days=1)).replace(day=1)
    end = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
    while month <= end:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
