"""The key that the site's tracker sends with."""

from __future__ import annotations

from datetime import datetime

from engagement.enums import SourceKind
from engagement.models import Source
from engagement.services import create_source

NAME = "sample-site"


def open_site(*, now: datetime) -> Source:
    """Give the site its key; from then on its pages are there.

    It may send from anywhere: each start of the demo may have another port.
    """
    return create_source(
        name=NAME, label="Sample site", kind=SourceKind.WEBSITE, now=now, asks_consent=True
    )
