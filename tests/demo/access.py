"""Who may open the sample site: everybody, while the demo company is there."""

from __future__ import annotations

from crm.accounts.models import User
from crm.demo.site.source import NAME, open_site
from engagement.models import Source
from tests.access import Arguments, public
from tests.factories import NOW


def home(_viewer: User) -> Arguments:
    """Open the site."""
    if not Source.objects.filter(name=NAME).exists():
        open_site(now=NOW)
    return {}


def pricing(viewer: User) -> Arguments:
    """Open the site and name one of its pages."""
    return home(viewer) | {"path": "pricing"}


ROWS = [public("demo:sample_home", own=home), public("demo:sample_page", own=pricing)]
