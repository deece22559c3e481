"""Reading identifications for people: the panel of the lead page, and lines of its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from crm.common.slots import TimelineEntry
from engagement.enums import LinkAct, LinkReason
from engagement.models import LinkChange, Visitor, VisitorLink
from leads.models import Lead

#: Whoever else sees a lead sees its browsers, and changes none.
LINK_ROLES = (Role.MARKETER, Role.MANAGER, Role.ADMIN)
#: More than a person uses; a kiosk has thousands, and these are the newest.
_MOST_SHOWN = 20
_SHORT = 8

LINKS = PreparedQuery(
    lambda lead, before: (
        VisitorLink.objects.filter(lead_id=lead, made_at__lt=before)
        .select_related("visitor")
        .order_by("-made_at")
    )
)
LINK_CHANGES = PreparedQuery(
    lambda lead, before: (
        LinkChange.objects.filter(link__lead_id=lead, at__lt=before)
        .select_related("link__visitor", "actor")
        .order_by("-at")
    )
)
_PROOFS = PreparedQuery(
    lambda lead: (
        LinkChange.objects.filter(link__lead_id=lead, act=LinkAct.PROVEN)
        .select_related("actor")
        .order_by("at")
    )
)


@dataclass(frozen=True, slots=True)
class Browser:
    """One identification as the panel shows it; ``proof`` is what proved a claim later."""

    link: VisitorLink
    name: str
    why: str
    proof: str
    is_somebody_elses: bool


def browsers_panel(lead: Lead, viewer: User, now: datetime) -> Mapping[str, Any] | None:
    """Return the identifications of a lead, those that hold, wait or ended; None without any."""
    del now
    found = LINKS.newest(lead.pk, None, _MOST_SHOWN + 1)
    if not found:
        return None
    shown = found[:_MOST_SHOWN]
    was_proven = any(link.proven_at not in (None, link.made_at) for link in shown)
    proofs = {proof.link_id: proof for proof in _PROOFS.ask(lead.pk)} if was_proven else {}
    browsers = [_browser(link, proofs.get(link.pk)) for link in shown]
    return {
        "holding": [each for each in browsers if each.link.holds],
        "claims": [each for each in browsers if each.link.is_open_claim],
        "ended": [each for each in browsers if each.link.detached_at],
        "has_more": len(found) > _MOST_SHOWN,
        "may_act": viewer.has_role(*LINK_ROLES),
    }


def link_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return when a lead was identified or claimed; a ``TimelineSource``."""
    del viewer
    return [_made(link) for link in LINKS.newest(lead_id, before, limit)]


def link_change_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what became of a lead's identifications; a ``TimelineSource``."""
    del viewer
    return [_changed(change) for change in LINK_CHANGES.newest(lead_id, before, limit)]


def visitor_name(visitor: Visitor) -> str:
    """Return how people tell a visitor from others: a browser has no name but its random id."""
    if visitor.source:
        return f"user {visitor.name} of {visitor.source}"
    return f"browser {visitor.name[:_SHORT]}"


def _browser(link: VisitorLink, proof: LinkChange | None) -> Browser:
    visitor = link.visitor
    return Browser(
        link=link,
        name=visitor_name(visitor).capitalize(),
        why=_why(link.reason, link.evidence),
        proof=_why(proof.reason, _said(proof)) if proof else "",
        is_somebody_elses=visitor.lead_id not in {None, link.lead_id},
    )


def _made(link: VisitorLink) -> TimelineEntry:
    is_proven = link.proven_at == link.made_at
    name = visitor_name(link.visitor)
    counts = "" if is_proven else "What it does counts for nothing until that is proven"
    return TimelineEntry(
        at=link.made_at,
        kind="acts",
        icon="user-check" if is_proven else "user-search",
        title=f"Recognised on {name}" if is_proven else f"Said to be on {name}",
        detail=". ".join(filter(None, [_why(link.reason, link.evidence), counts])),
        tone="system",
    )


def _changed(change: LinkChange) -> TimelineEntry:
    name = visitor_name(change.link.visitor)
    icon, title = {
        LinkAct.PROVEN: ("shield-check", f"Proven to be on {name}"),
        LinkAct.DETACHED: ("unlink", f"Detached from {name}"),
        LinkAct.RESTORED: ("link", f"Restored on {name}"),
    }[LinkAct(change.act)]
    if change.act == LinkAct.DETACHED and not change.link.proven_at:
        title = f"Claim of {name} dismissed"
    return TimelineEntry(
        at=change.at,
        kind="sales" if change.actor else "acts",
        icon=icon,
        title=title,
        detail=_why(change.reason, _said(change)) if change.reason else _said(change),
        tone="system",
    )


def _why(reason: str, words: str) -> str:
    label = LinkReason(reason).label
    return f"{label}: {words}" if words else label


def _said(change: LinkChange) -> str:
    return ". ".join(filter(None, [f"By {change.actor}" if change.actor else "", change.words]))
