"""The list of events that no person caused, or nobody in particular, and why we think so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from crm.common.paging import Page, keyset_page
from engagement.enums import Actor, ActorRule
from engagement.history import title_of
from engagement.models import ActorDecision, Event

SIZE = 50
PERIODS = {
    "day": ("24 hours", timedelta(days=1)),
    "week": ("7 days", timedelta(days=7)),
    "month": ("30 days", timedelta(days=30)),
    "all": ("All", None),
}
#: What the page shows instead of one rule.
DECIDED = "DECIDED"
_NEWEST = ("-occurred_at", "-id")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: one rule, ``DECIDED`` or all of them, and a period."""

    rule: str
    period: str

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> Asked:
        """Read an address; what it does not know is not asked."""
        rule, period = parameters.get("rule", ""), parameters.get("period", "")
        asked = cls(rule if rule in {*ActorRule.values, DECIDED} else "", period)
        return asked if period in asked.periods else cls(asked.rule, "month")

    @property
    def periods(self) -> dict[str, str]:
        """Return the periods to choose from, with their labels.

        A rule has no index and is looked for among all events of the period, so that it needs one.
        """
        is_searched = self.rule in ActorRule.values
        return {key: label for key, (label, span) in PERIODS.items() if span or not is_searched}


@dataclass(frozen=True, slots=True)
class Row:
    """One event as the list shows it; ``is_decided`` when a person said who caused it."""

    event: Event
    title: str
    is_decided: bool

    @property
    def is_human(self) -> bool:
        """Say whether a person caused it, as things stand."""
        return self.event.actor == Actor.HUMAN


def machine_rows(asked: Asked, *, cursor: str | None, now: datetime) -> Page[Event]:
    """Return a page of the events that ``asked`` asks for, the newest first."""
    _, span = PERIODS[asked.period]
    if asked.rule == DECIDED:
        return _decided(span, cursor, now)
    events = Event.objects.exclude(actor=Actor.HUMAN)  # as the index says it
    if asked.rule:
        events = events.filter(actor_reason__startswith=ActorRule(asked.rule).label)
    else:
        events = events.filter(actor=Actor.MACHINE)
    if span:
        events = events.filter(occurred_at__gt=now - span)
    return keyset_page(_loaded(events), ordering=_NEWEST, cursor=cursor, size=SIZE)


def rows_of(events: list[Event]) -> list[Row]:
    """Return events as the list shows them; one query, however many."""
    decided = set(
        ActorDecision.objects.filter(event_id__in=[event.id for event in events]).values_list(
            "event_id", flat=True
        )
    )
    return [Row(event, title_of(event), event.id in decided) for event in events]


def loaded_event(event: Event) -> Event:
    """Return an event with all that a row shows."""
    return _loaded(Event.objects.filter(pk=event.pk)).get()


def _loaded(events: QuerySet[Event]) -> QuerySet[Event]:
    return events.select_related("asset", "lead", "agent", "visitor")


def _decided(span: timedelta | None, cursor: str | None, now: datetime) -> Page[Event]:
    decisions = ActorDecision.objects.all()
    if span:
        decisions = decisions.filter(decided_at__gt=now - span)
    page = keyset_page(decisions, ordering=("-decided_at", "-id"), cursor=cursor, size=SIZE)
    times = [decision.occurred_at for decision in page.items]
    events = Event.objects.filter(
        id__in=[decision.event_id for decision in page.items], occurred_at__in=times
    )
    found = {event.id: event for event in _loaded(events)}
    items = [found[each.event_id] for each in page.items if each.event_id in found]
    return Page(items, page.next_cursor, page.previous_cursor)
