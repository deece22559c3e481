"""Taking a handoff from a holder who neither accepted it nor touched the buyer for too long.

After how long, and where it goes then, is said by the agreement version to which the handoff is
pinned. Nobody gets it a second time, so it ends with a rep who acts, or in the pool. The clocks run
on: the buyer has waited all along, and who let a deadline pass stays answerable for it.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from django.db import transaction

from crm.common.models import Notification
from crm.common.notifications import News, notify_all
from crm.common.prepared import PreparedQuery
from crm.common.singly import do_singly
from handoff.enums import TimesOutTo
from handoff.models import Clock, Handoff
from handoff.rotation import Choice
from handoff.services.alarms import keys_of_breach
from handoff.services.locking import HandoffClosed, lock_handoff
from handoff.services.reassignment import because, follow, told_former, told_of
from handoff.services.routing import Route, route, route_alone

logger = logging.getLogger(__name__)

#: A handoff that cannot be given away is tried again after this.
RETRY_AFTER = timedelta(minutes=1)


def time_out_handoffs(*, now: datetime, limit: int) -> int:
    """Take up to ``limit`` handoffs from holders whose time was up before ``now``, oldest first.

    Each in a transaction of its own; safe to repeat and to run in parallel.

    Returns:
        How many were due; ``limit`` means that more may be.
    """
    handoff_ids = [pk for (pk,) in _timed_out(limit).rows(now)]

    def put_off(handoff_id: int, _error: Exception) -> None:
        logger.exception("Could not take handoff %s from its holder", handoff_id)
        clocks = Clock.objects.timed_out(now).filter(handoff=handoff_id)
        clocks.update(reassign_at=now + RETRY_AFTER)

    do_singly(dict.fromkeys(handoff_ids), lambda pk: _time_out(pk, now), give_up=put_off)
    return len(handoff_ids)


@cache
def _timed_out(limit: int) -> PreparedQuery[Clock]:
    return PreparedQuery(
        lambda now: (
            Clock.objects.timed_out(now)
            .order_by("reassign_at", "id")
            .values_list("handoff")[:limit]
        )
    )


@transaction.atomic
def _time_out(handoff_id: int, now: datetime) -> None:
    """Give one handoff away, unless that was done or it was answered meanwhile.

    Routing is waited for before the lead is, as whoever reroutes many does.
    """
    route_alone()
    with suppress(HandoffClosed):
        handoff = lock_handoff(handoff_id)
        if handoff.clocks.timed_out(now).exists():
            _give_away(handoff, now)


def _give_away(handoff: Handoff, now: datetime) -> None:
    """Let routing choose among the others. Managers have heard of the breach already."""
    former = handoff.holder
    way = because(f"{former} did not act in time", _way_on(handoff, now))
    decision = follow(way, handoff, now=now)
    told: list[News] = [_unheard(told_of(way, decision), handoff, now)]
    if former is not None:
        told.append(told_former(decision, former, f"{decision.rule}."))
    notify_all(told, now=now)


def _unheard(news: News, handoff: Handoff, now: datetime) -> News:
    """Leave out whom the same sweep has told of the breach: one line for a handoff and a person."""
    of_breach = Notification.objects.filter(key__in=keys_of_breach(handoff.pk), created_at=now)
    heard = set(of_breach.filter(recipient__in=news.recipients).values_list("recipient", flat=True))
    return replace(news, recipients=[each for each in news.recipients if each.pk not in heard])


def _way_on(handoff: Handoff, now: datetime) -> Route:
    if handoff.enforcement.times_out_to == TimesOutTo.POOL:
        nobody = Choice(chosen=None, turn=0.0, considered=())
        return Route(handoff.team, None, "To the pool, as agreed", nobody, to_pool=True)
    had_it = handoff.holders.filter(holder__isnull=False).values_list("holder", flat=True)
    return route(handoff.lead, now=now, without=set(had_it))
