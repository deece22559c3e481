"""The key that the site's tracker sends with."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings

from engagement.enums import SourceKind
from engagement.models import Source

NAME = "sample-site"


def open_site(*, now: datetime) -> Source:
    """Give the site its key; from then on its pages are there."""
    return Source.objects.create(
        name=NAME,
        label="Sample site",
        kind=SourceKind.WEBSITE,
        write_key=secrets.token_urlsafe(16),
        allowed_origins=[settings.PUBLIC_URL],
        asks_consent=True,
        created_at=now,
    )
