"""Who may change the identifications of a lead."""

from __future__ import annotations

from crm.accounts.models import User
from engagement.enums import LinkReason
from engagement.services import link_visitor
from tests.access import ADMIN, MANAGER, MARKETER, Arguments, row
from tests.factories import NOW, make_lead, make_user


def link_of(owner: User) -> Arguments:
    lead = make_lead(owner=owner)
    link = link_visitor(
        anonymous_id=f"browser-{lead.pk}", lead_id=lead.pk, reason=LinkReason.FORM, now=NOW
    )
    return {"lead_id": lead.pk, "link_id": link.pk, "act": "detach"}


def link_of_somebody_else(_viewer: User) -> Arguments:
    return link_of(make_user())


_SEEN = {"own": link_of, "foreign": link_of_somebody_else}
LINK_ROWS = [row("engagement:link_act", MARKETER, MANAGER, ADMIN, **_SEEN)]
