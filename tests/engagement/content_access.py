"""Who may open the pages of assets, offers and webinars, and what is public of them."""

from __future__ import annotations

from crm.accounts.models import User
from engagement.services import download_url
from tests.access import Arguments, Row, public
from tests.engagement.content import make_asset, make_offer
from tests.factories import NOW, make_lead


def some_offer(_viewer: User) -> Arguments:
    return {"slug": make_offer().slug}


def link_that_has_ended(_viewer: User) -> Arguments:
    link = download_url(asset=make_asset(), lead_id=make_lead().pk, now=NOW)
    return {"token": link.rstrip("/").rpartition("/")[2]}


CONTENT_ROWS: list[Row] = [
    public("engagement:download", own=link_that_has_ended),
    public("engagement:download_renew", own=link_that_has_ended, method="post"),
    public("engagement:offer_page", own=some_offer),
    public("engagement:offer_accepted", own=some_offer),
]
