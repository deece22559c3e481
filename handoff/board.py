"""The team board: who holds what, how much that is, and what is at risk. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q

from crm.accounts.models import SalesTeam, User
from crm.common.ui.badges import SlaBadge
from handoff.badges import clock_badge
from handoff.models import Clock, Handoff, RepProfile

#: A board shows so many of the most urgent, and counts the rest. Our choice.
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Card:
    """One open handoff."""

    handoff: Handoff
    badge: SlaBadge


@dataclass(frozen=True, slots=True)
class Column:
    """What one rep holds, or the pool, which has neither ``rep`` nor ``capacity``.

    ``at_risk`` counts those with a quarter or less of their working time left, or none.
    """

    rep: User | None
    cards: Sequence[Card]
    open: int
    at_risk: int
    capacity: int | None = None
    is_absent: bool = False

    @property
    def more(self) -> int:
        """Return how many are open beside those that are shown."""
        return self.open - len(self.cards)

    @property
    def is_full(self) -> bool:
        """Say whether routing gives them no more."""
        return self.capacity is not None and self.open >= self.capacity


def load_board(team: SalesTeam, *, now: datetime) -> list[Column]:
    """Return the pool of ``team``, then its reps by name; a constant number of queries."""
    cards = _cards(team, now)
    loads = {holder: (number, at_risk) for holder, number, at_risk in _loads(team, now)}
    reps = User.objects.reps().filter(sales_team=team).order_by("full_name", "id")
    profiles = RepProfile.objects.filter(user__in=reps).in_bulk()
    number, at_risk = loads.get(None, (0, 0))
    pool = Column(None, _held_by(None, cards), number, at_risk)
    return [pool, *(_column(rep, profiles.get(rep.pk), cards, loads, now) for rep in reps)]


def _column(
    rep: User,
    profile: RepProfile | None,
    cards: Iterable[Card],
    loads: Mapping[int | None, tuple[int, int]],
    now: datetime,
) -> Column:
    """Return the column of ``rep``; who was never given anything has no profile yet."""
    number, at_risk = loads.get(rep.pk, (0, 0))
    return Column(
        rep,
        _held_by(rep.pk, cards),
        number,
        at_risk,
        capacity=profile.capacity if profile else None,
        is_absent=bool(profile and profile.is_absent(now)),
    )


def _cards(team: SalesTeam, now: datetime) -> list[Card]:
    """Return the most urgent open handoffs of ``team``, each with the clock that is due next.

    Which they are is asked first, so that leads are joined to those that are shown only.
    """
    of_team = Clock.objects.running().filter(handoff__in=Handoff.objects.open().filter(team=team))
    next_due = of_team.order_by("handoff", "due_at", "id").distinct("handoff")
    urgent = Clock.objects.filter(pk__in=next_due.values("pk")).order_by("due_at", "id")
    shown = list(urgent.values_list("pk", flat=True)[:MOST_SHOWN])
    found = Clock.objects.filter(pk__in=shown).order_by("due_at", "id")
    of_leads = found.select_related("handoff__lead").defer("handoff__brief")
    return [
        Card(clock.handoff, clock_badge(clock, clock.handoff.calendar.hours, now=now))
        for clock in of_leads.prefetch_related("handoff__calendar")
    ]


def _loads(team: SalesTeam, now: datetime) -> Iterable[tuple[int | None, int, int]]:
    """Return per holder how many handoffs are open, and how many of them are at risk or late."""
    running = Q(clocks__stopped_at__isnull=True, clocks__withdrawn_at__isnull=True)
    at_risk = Count("pk", filter=running & Q(clocks__at_risk_at__lte=now), distinct=True)
    of_team = Handoff.objects.open().filter(team=team).values(who=F("holder"))
    return of_team.annotate(open=Count("pk", distinct=True), at_risk=at_risk).values_list(
        "who", "open", "at_risk"
    )


def _held_by(rep_id: int | None, cards: Iterable[Card]) -> list[Card]:
    return [card for card in cards if card.handoff.holder_id == rep_id]
