"""Who may open the pages of assets, offers and webinars, and what is public of them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from crm.accounts.models import User
from engagement.models import AttendanceUpload
from engagement.services import download_url
from tests.access import ADMIN, MANAGER, MARKETER, Arguments, Row, public, row
from tests.engagement.content import make_asset, make_offer, make_webinar
from tests.factories import NOW, make_lead


def some_asset(_viewer: User) -> Arguments:
    return {"slug": make_asset().slug}


def some_offer(_viewer: User) -> Arguments:
    return {"slug": make_offer().slug}


def some_webinar(_viewer: User) -> Arguments:
    return {"slug": make_webinar().slug}


def some_list(_viewer: User) -> Arguments:
    upload = AttendanceUpload.objects.create(
        webinar=make_webinar(), filename="list.csv", columns={}, uploaded_at=timezone.now()
    )
    return {"upload_id": upload.pk}


def link_that_has_ended(_viewer: User) -> Arguments:
    link = download_url(asset=make_asset(), lead_id=make_lead().pk, now=NOW)
    return {"token": link.rstrip("/").rpartition("/")[2]}


def work(name: str, **fields: Any) -> Row:
    """Say that everybody who works with content may open the address."""
    return row(f"engagement:{name}", MARKETER, MANAGER, ADMIN, **fields)


CONTENT_ROWS: list[Row] = [
    public("engagement:download", own=link_that_has_ended),
    public("engagement:download_renew", own=link_that_has_ended, method="post"),
    public("engagement:offer_page", own=some_offer),
    public("engagement:offer_accepted", own=some_offer),
    work("content"),
    work("assets"),
    work("asset_add"),
    work("asset", own=some_asset),
    work("asset_edit", own=some_asset),
    work("asset_archive", own=some_asset, method="post", data={"archive": "1"}),
    work("offers"),
    work("offer_add"),
    work("offer", own=some_offer),
    work("webinars"),
    work("webinar_add"),
    work("webinar", own=some_webinar),
    work("webinar_edit", own=some_webinar),
    work("webinar_no_shows", own=some_webinar, method="post"),
    work("attendance_add", own=some_webinar),
    work("attendance", own=some_list),
    work("attendance_record", own=some_list, method="post"),
    work("attendance_csv", own=some_list),
]
