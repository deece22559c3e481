"""What people do with identifications: confirm a claim, detach, restore.

A detached link keeps its events marked as its own, so that restoring gives back the same ones and
no other identification sweeps them up.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from crm.accounts.models import User
from engagement.enums import LinkAct, LinkReason
from engagement.identity import Introduction, settle
from engagement.models import LinkChange, Visitor, VisitorLink
from engagement.services.actors import correct_history
from engagement.services.event_log import announce
from engagement.services.links import (
    LONGEST_WORDS,
    Seen,
    attach,
    standings_of,
    write_settlement,
)

_GIVE_BACK = """
    UPDATE engagement_event SET lead_id = NULL
    WHERE lead_id = %s AND visitor_id = %s AND link_id = %s
"""


class LinkIsOtherwise(Exception):
    """Somebody, or a proof, changed the identification meanwhile."""


@transaction.atomic
def confirm_claim(*, link_id: int, actor: User, now: datetime, words: str = "") -> None:
    """Prove a claim by a colleague's word: the lead gets what the visitor did under it.

    Raises:
        LinkIsOtherwise: when it is no open claim any more.
    """
    visitor, link = _lock(link_id)
    if not link.is_open_claim:
        raise LinkIsOtherwise("This claim was settled meanwhile.")
    name = (visitor.source, visitor.name)
    seen = Seen(visitor.pk, False, visitor.lead_id, visitor.link_id, visitor.claim_id)
    said = Introduction(name, proof=link.lead_id, reason=LinkReason.PERSON)
    settlement = settle([said], standings_of({name: seen}, speaking=[name]))
    _, attached = write_settlement(
        settlement, {name: seen}, lead_of=int, evidence=lambda _: words, now=now, actor=actor
    )
    announce(events=[], attached=attached, now=now)


@transaction.atomic
def detach_link(*, link_id: int, actor: User, now: datetime, words: str = "") -> int:
    """End an identification; return how many events are nobody's again.

    The events that it gave to its lead, the visitor, and when the lead was last active are then as
    they were without it. The same visitor can be identified again, by a new link.

    Args:
        link_id: the identification.
        actor: who says so.
        now: when.
        words: why, at most 300 characters.

    Raises:
        LinkIsOtherwise: when it is detached already.
    """
    visitor, link = _lock(link_id)
    if link.detached_at:
        raise LinkIsOtherwise("This was detached meanwhile.")
    _change(link, LinkAct.DETACHED, detached_at=now, actor=actor, now=now, words=words)
    if visitor.link_id == link.pk:
        _stand(visitor, _latest(visitor))
    if visitor.claim_id == link.pk:
        Visitor.objects.filter(pk=visitor.pk).update(claim=None)
    if not link.proven_at:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [link.lead_id, link.visitor_id, link.pk])
        given_back = int(cursor.rowcount)
    correct_history(restored={}, taken=[link.lead_id], now=now)
    return given_back


@transaction.atomic
def dismiss_claim(*, link_id: int, actor: User, now: datetime, words: str = "") -> None:
    """End a claim that is not proven; the same visitor does not raise it again.

    Raises:
        LinkIsOtherwise: when it is no open claim any more.
    """
    _, link = _lock(link_id)
    if not link.is_open_claim:
        raise LinkIsOtherwise("This claim was settled meanwhile.")
    detach_link(link_id=link_id, actor=actor, now=now, words=words)


@transaction.atomic
def restore_link(*, link_id: int, actor: User, now: datetime, words: str = "") -> None:
    """Undo the detaching of an identification: its lead gets the same events again.

    The visitor follows it again unless somebody else was identified later.

    Raises:
        LinkIsOtherwise: when it is not detached.
    """
    visitor, link = _lock(link_id)
    if not link.detached_at:
        raise LinkIsOtherwise("This is restored already.")
    _change(link, LinkAct.RESTORED, detached_at=None, actor=actor, now=now, words=words)
    if not link.proven_at:
        was_last = Q(identified_at=None) | Q(identified_at__lt=link.made_at)
        Visitor.objects.filter(was_last, pk=visitor.pk, claim=None).update(claim=link)
        return
    _stand(visitor, _latest(visitor))
    attached = attach([(link.pk, link.pk)])
    announce(events=[], attached=attached, now=now)


def _lock(link_id: int) -> tuple[Visitor, VisitorLink]:
    """Lock the visitor, as absorbing does, and return it with the link as it is then."""
    visitor = Visitor.objects.select_for_update(no_key=True).get(links=link_id)
    return visitor, VisitorLink.objects.get(pk=link_id)


def _change(
    link: VisitorLink, act: LinkAct, *, detached_at: datetime | None, actor: User, now: datetime,
    words: str,
) -> None:  # fmt: skip
    link.detached_at = detached_at
    link.save(update_fields=["detached_at"])
    LinkChange.objects.create(link=link, act=act, at=now, actor=actor, words=words[:LONGEST_WORDS])


def _latest(visitor: Visitor) -> VisitorLink | None:
    """Return the identification that was proven last and holds."""
    holding = visitor.links.filter(proven_at__isnull=False, detached_at__isnull=True)
    return holding.order_by("-proven_at", "-pk").first()


def _stand(visitor: Visitor, link: VisitorLink | None) -> None:
    Visitor.objects.filter(pk=visitor.pk).update(
        link=link,
        lead=link.lead_id if link else None,
        identified_at=link.proven_at if link else None,
    )
