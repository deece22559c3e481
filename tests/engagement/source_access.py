"""Who may open the pages of sources."""

from __future__ import annotations

from django.utils import timezone

from crm.accounts.models import User
from engagement.enums import SourceKind
from engagement.models import Source
from engagement.services import create_source
from tests.access import ADMIN, MANAGER, MARKETER, Arguments, row


def some_source(_viewer: User) -> Arguments:
    name = f"site-{Source.objects.count()}"
    made = create_source(name=name, label="Site", kind=SourceKind.WEBSITE, now=timezone.now())
    return {"source_id": made.pk}


SOURCE_ROWS = [
    row("engagement:sources", MARKETER, MANAGER, ADMIN),
    row("engagement:source", MARKETER, MANAGER, ADMIN, own=some_source),
    row("engagement:source_add", MARKETER, ADMIN),
    row("engagement:source_edit", MARKETER, ADMIN, own=some_source),
    row("engagement:source_deactivate", MARKETER, ADMIN, own=some_source, method="post"),
    row("engagement:source_activate", MARKETER, ADMIN, own=some_source, method="post"),
]
