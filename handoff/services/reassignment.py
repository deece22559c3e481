"""Giving an open handoff to somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from crm.accounts.enums import NewsKind
from crm.accounts.models import User
from crm.common.notifications import News, notify_all
from handoff.models import LONGEST_RULE, AssignmentDecision, Handoff
from handoff.services.holders import hand_to
from handoff.services.locking import HandoffClosed, lock_for, lock_handoff
from handoff.services.owners import release_owned
from handoff.services.people import managers_of, pool_of
from handoff.services.routing import Route, route, route_alone


@transaction.atomic
def reassign_handoff(
    *, handoff_id: int, to: User, actor: User, reason: str, now: datetime
) -> Handoff:
    """Put the handoff into the hands of ``to``. Its clocks run on: the buyer has waited all along.

    Raises:
        CannotHold: ``to`` is not an active rep.
        HandoffClosed: it is no longer open.
        HandoffTaken: ``actor`` may not act on it.
    """
    handoff = lock_for(handoff_id, actor)
    former = handoff.holder
    if former == to:
        return handoff
    hand_to(handoff, to, now=now)
    handoff.save(update_fields=["holder", "team"])
    line = {"user": to.pk, "name": to.full_name, "chosen": True, "reason": reason}
    decision = AssignmentDecision.objects.create(
        handoff=handoff,
        rule=f"Reassigned by {actor.full_name}",
        candidates=[line],
        chosen=to,
        decided_at=now,
    )
    said = f"By {actor.full_name}. {reason}".strip()
    told = []
    if to != actor:
        told.append(news_of(decision, [to], "Handed to you", said))
    if former not in (None, actor):
        told.append(told_former(decision, former, said))
    notify_all(told, now=now)
    return handoff


@transaction.atomic
def reroute_handoffs(*, of: User, now: datetime) -> int:
    """Route every open handoff ``of`` somebody who sells no more; where nobody is free, to a pool.

    Leads of theirs without one are left to their team, and its managers are told.

    Runs in the transaction in which they stopped, and after whoever is about to give them one
    more. The clocks run on: the buyer has waited all along.

    Returns:
        How many handoffs went elsewhere.
    """
    release_owned(of=of, now=now)
    route_alone()
    held = [handoff for handoff in _locked_open(of) if handoff.holder == of]
    notify_all([_reroute(handoff, now) for handoff in held], now=now)
    return len(held)


def _locked_open(holder: User) -> Iterator[Handoff]:
    """Yield the open handoffs of ``holder``, held, in the order in which everybody locks leads."""
    of_holder = Handoff.objects.open().filter(holder=holder).order_by("lead_id")
    for handoff_id in list(of_holder.values_list("pk", flat=True)):
        with suppress(HandoffClosed):
            yield lock_handoff(handoff_id)


def _reroute(handoff: Handoff, now: datetime) -> News:
    """Let routing choose anew; return what there is to tell, and whom."""
    former = handoff.holder
    way = because(f"{former} sells no more", route(handoff.lead, now=now))
    return told_of(way, follow(way, handoff, now=now))


def because(reason: str, way: Route) -> Route:
    """Return the way with what made it needed before its rule, to be kept with the decision."""
    return replace(way, rule=f"{reason}. {way.rule}"[:LONGEST_RULE])


def follow(way: Route, handoff: Handoff, *, now: datetime) -> AssignmentDecision:
    """Give the handoff, which is held, to whom routing chose, and record why."""
    handoff.team = way.team
    hand_to(handoff, way.holder, now=now)
    handoff.save(update_fields=["holder", "team"])
    return way.record(handoff, now=now)


def told_of(way: Route, decision: AssignmentDecision) -> News:
    """Return the news for whom routing chose; for the pool, or all who can help without anybody."""
    handoff, said = decision.handoff, f"{decision.rule}."
    if decision.chosen is not None:
        return news_of(decision, [decision.chosen], "Handed to you", said)
    if way.to_pool:
        return news_of(decision, pool_of(handoff.team_id), "In the pool now", said)
    everybody = [*managers_of(handoff.team_id), *pool_of(handoff.team_id)]
    return news_of(decision, everybody, "Nobody could be given", said)


def told_former(decision: AssignmentDecision, former: User, said: str) -> News:
    """Return the news for who has it no more: a rep, who may not open its page any longer."""
    told = news_of(decision, [former], "No longer yours", said)
    return replace(told, url=reverse("handoff:queue"))


def news_of(
    decision: AssignmentDecision, recipients: Sequence[User], title: str, body: str
) -> News:
    """Return the news of one decision for some people."""
    handoff = decision.handoff
    return News(
        kind=NewsKind.HANDOFF,
        recipients=recipients,
        key=f"handoff:{handoff.pk}:reassigned:{decision.pk}",
        title=f"{title}: {handoff.lead.display_name}",
        body=body,
        url=handoff.get_absolute_url(),
        icon="arrow-left-right",
        topic=f"handoff:{handoff.pk}",
    )
