"""Who caused an event, said anew: by a person, or by rules that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from crm.accounts.models import User
from engagement.classify import LONGEST_REASON
from engagement.enums import Actor, ActorRule
from engagement.event_ids import instant_of
from engagement.models import ActorChange, ActorDecision, Event
from engagement.services.event_log import withdraw_consents
from engagement.signals import events_absorbed, history_corrected
from leads.services import lock_leads, recall_activity, record_activity, share_merges

RESTORED = "Restored by"


class NoSuchEvent(LookupError):
    """There is no event of this id."""


def event_of(event_id: UUID) -> Event:
    """Return the event of an id.

    Raises:
        NoSuchEvent: there is none.
    """
    return _found(event_id, is_locked=False)


@transaction.atomic
def decide_actor(*, event_id: UUID, actor: Actor, decided_by: User, now: datetime) -> Event:
    """Let a person say that a person, or a machine, caused an event; rules no longer change it.

    Raises:
        NoSuchEvent: there is no such event.
        ValueError: nobody can decide that nobody can tell.
    """
    if actor is Actor.UNKNOWN:
        raise ValueError("A decision is for a person or for a machine")
    event = _found(event_id, is_locked=True)
    ActorDecision.objects.update_or_create(
        event_id=event.id,
        defaults={"actor": actor, "decided_by": decided_by, "decided_at": now},
        create_defaults={
            "occurred_at": event.occurred_at,
            "actor": actor,
            "was_actor": event.actor,
            "was_reason": event.actor_reason,
            "decided_by": decided_by,
            "decided_at": now,
        },
    )
    words = RESTORED if actor is Actor.HUMAN else ActorRule.MARKED.label
    _turn(event, actor, f"{words} {decided_by}"[:LONGEST_REASON], now)
    return event


@transaction.atomic
def withdraw_decision(*, event_id: UUID, now: datetime) -> Event:
    """Take back what a person said: the event is again what rules had made of it.

    Nothing to take back changes nothing.

    Raises:
        NoSuchEvent: there is no such event.
    """
    event = _found(event_id, is_locked=True)
    decision = ActorDecision.objects.filter(event_id=event_id).first()
    if decision:
        _turn(event, Actor(decision.was_actor), decision.was_reason, now)
        decision.delete()
    return event


def correct_history(
    *, restored: Mapping[int, datetime], taken: Iterable[int], now: datetime
) -> None:
    """Tell what follows from events that are said to be somebody else's than before.

    Args:
        restored: leads of whom a person's act became known, with the time of the latest.
        taken: leads of whom something turned out to be no person's act.
        now: when that became known.
    """
    lost = sorted(set(taken))
    record_activity(latest=restored)
    lock_leads(lost)
    for lead_id in lost:
        last = Event.objects.human().filter(lead=lead_id).aggregate(at=Max("occurred_at"))
        recall_activity(lead_id=lead_id, latest=last["at"])
    withdraw_consents(lead_ids={*restored, *lost}, now=now)
    if restored:
        events_absorbed.send(sender=Event, lead_ids=sorted(restored), now=now)
    if lost:
        history_corrected.send(sender=Event, lead_ids=lost, now=now)


def _found(event_id: UUID, *, is_locked: bool) -> Event:
    """Return the event; to change it, held beside no merge, which comes to leads before acts."""
    if is_locked:
        share_merges()
    try:
        start, end = instant_of(event_id)
    except (OverflowError, ValueError):
        raise NoSuchEvent from None
    events = Event.objects.filter(id=event_id, occurred_at__gte=start, occurred_at__lt=end)
    event = (events.select_for_update() if is_locked else events).first()
    if event is None:
        raise NoSuchEvent
    return event


def _turn(event: Event, actor: Actor, reason: str, now: datetime) -> None:
    was_human = event.actor == Actor.HUMAN
    if event.actor != actor:
        ActorChange.objects.create(event_id=event.id, was_actor=event.actor, changed_at=now)
    event.actor, event.actor_reason = actor, reason
    Event.objects.filter(pk=event.pk).update(actor=actor, actor_reason=reason)
    if event.lead_id is None or was_human == (actor is Actor.HUMAN):
        return
    lead_id, at = event.lead_id, event.occurred_at
    if was_human:
        correct_history(restored={}, taken=[lead_id], now=now)
    else:
        correct_history(restored={lead_id: at}, taken=[], now=now)
