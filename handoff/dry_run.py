"""What the routing rules, as they stand, would have done with the handoffs of the last weeks.

Handoffs are taken in the order in which they came. Criteria are asked of the leads as they are now.
Turns, weights, caps and the owners of companies follow from the replay itself; absence and who has
left are as they are known now. Nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.common.criteria import CriteriaInvalid, compile_q, parse
from crm.common.prepared import FAR
from handoff.models import Handoff, RepProfile, RoutingRule
from handoff.rotation import Candidate, give
from handoff.services.routing import Hours, Rep, Route, absence_words, follow_rules
from leads.models import Lead

SPAN = timedelta(days=30)
#: The latest ones of a busy month: a page answers, it does not compute for minutes. Our choice.
MOST_HANDOFFS = 5_000


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a handoff goes: to a person, whose id is ``holder``, or to a pool, which has 0."""

    name: str
    holder: int = 0

    def __str__(self) -> str:
        """Return what people call it."""
        return self.name


@dataclass(frozen=True, slots=True)
class Replayed:
    """One handoff: where it went in fact, and where the rules would have sent it."""

    handoff: Handoff
    would: Place
    rule: str
    did: Place

    @property
    def differs(self) -> bool:
        """Say whether somebody else would have got it."""
        return self.would != self.did


@dataclass(frozen=True)
class DryRun:
    """All of them, counted: by who gets them, as (would, did), and by rule."""

    lines: Sequence[Replayed]
    by_person: Mapping[Place, tuple[int, int]]
    by_rule: Mapping[str, int]
    is_cut: bool

    @property
    def differing(self) -> list[Replayed]:
        """Return those that would have gone elsewhere, newest first."""
        return [line for line in reversed(self.lines) if line.differs]


def dry_run(*, now: datetime, with_inactive: bool = False) -> DryRun:
    """Replay the handoffs opened in the last 30 days; ``with_inactive`` tries all rules."""
    handoffs = _handoffs(now)
    rules = list(RoutingRule.objects.select_related("team", "rep", "fallback").order_by("position"))
    if not with_inactive:
        rules = [rule for rule in rules if rule.is_active]
    fitting = _fitting(rules, [each.lead_id for each in handoffs], now)
    desk = _Desk(Hours.current(), _profiles())
    lines = [desk.replay(each, fitting.get(each.lead_id)) for each in handoffs]
    would, did = Counter(line.would for line in lines), Counter(line.did for line in lines)
    return DryRun(
        lines=lines,
        by_person={place: (would[place], did[place]) for place in sorted(would | did)},
        by_rule=dict(Counter(line.rule for line in lines).most_common()),
        is_cut=len(handoffs) == MOST_HANDOFFS,
    )


def _handoffs(now: datetime) -> list[Handoff]:
    recent = Handoff.objects.filter(opened_at__gt=now - SPAN, opened_at__lte=now)
    ours = recent.filter(imported__isnull=True).select_related("lead__company", "team")
    ours = ours.defer("brief", "lead__attributes", "lead__search_text")
    newest = ours.prefetch_related("holders__holder").order_by("-opened_at", "-id")
    return list(reversed(newest[:MOST_HANDOFFS]))


def _fitting(
    rules: Iterable[RoutingRule], lead_ids: Sequence[int], now: datetime
) -> dict[int, RoutingRule]:
    """Return the first rule that each lead fits: one query per rule."""
    found: dict[int, RoutingRule] = {}
    for rule in rules:
        left = [pk for pk in lead_ids if pk not in found]
        try:
            asked = compile_q(parse(rule.criteria), now=now)
        except CriteriaInvalid:
            continue
        leads = Lead.objects.filter(pk__in=left)
        ids = (leads.filter(asked) if asked else leads).values_list("pk", flat=True)
        found |= dict.fromkeys(ids, rule)
    return found


def _profiles() -> list[RepProfile]:
    of_reps = RepProfile.objects.filter(
        user__sales_team__isnull=False, user__roles__contains=[Role.REP]
    )
    return list(of_reps.select_related("user__sales_team").order_by("pk"))


@dataclass
class _Desk:
    """Who has what at the moment that the replay has come to."""

    hours: Hours
    profiles: Sequence[RepProfile]
    turns: dict[int, float] = field(default_factory=dict)
    ends: dict[int, list[datetime]] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    closed: dict[tuple[int, datetime], str] = field(default_factory=dict)

    def replay(self, handoff: Handoff, rule: RoutingRule | None) -> Replayed:
        """Route one handoff at its time, and remember who has it."""
        at = handoff.opened_at
        reps = {each.pk: Rep(each.user, self._candidate(each, at)) for each in self.profiles}
        owner = reps.get(self.owners.get(handoff.lead.company_id or 0, 0))
        if owner is not None and not owner.candidate.barrier:
            choice = give(owner.candidate, "Company owner first")
            way = Route(owner.user.sales_team, owner.user, "Company owner first", choice)
        else:
            way = follow_rules(rule, reps)
        if way.holder is not None:
            self._take(way.holder, handoff, way.choice.turn)
        return Replayed(handoff, _place(way), way.rule, _first_place(handoff))

    def _candidate(self, profile: RepProfile, at: datetime) -> Candidate:
        load = self._load(profile.pk, at)
        barrier = absence_words(profile) if profile.is_absent(at) else ""
        if not profile.user.is_active:
            barrier = "No longer active"
        elif load >= profile.capacity:
            barrier = f"At the cap: {load} of {profile.capacity} open"
        return Candidate(
            user_id=profile.pk,
            name=profile.user.full_name,
            turn=self.turns.get(profile.pk, 0.0),
            weight=profile.weight,
            barrier=barrier,
            closed=self._closed_words(profile.user, at),
        )

    def _closed_words(self, user: User, at: datetime) -> str:
        """Ask once for all who share a calendar."""
        calendar = self.hours.calendar_of(user)
        place = (calendar.pk if calendar else 0, at)
        if place not in self.closed:
            self.closed[place] = self.hours.closed_words(user, at)
        return self.closed[place]

    def _load(self, user_id: int, at: datetime) -> int:
        """Return how many the person still has: the replay never goes back in time."""
        ends = self.ends.setdefault(user_id, [])
        while ends and ends[0] <= at:
            heappop(ends)
        return len(ends)

    def _take(self, holder: User, handoff: Handoff, turn: float) -> None:
        self.turns[holder.pk] = turn
        heappush(self.ends.setdefault(holder.pk, []), handoff.closed_at or FAR)
        if handoff.lead.company_id:
            self.owners[handoff.lead.company_id] = holder.pk


def _place(way: Route) -> Place:
    return _named(way.holder, way.team)


def _first_place(handoff: Handoff) -> Place:
    """Return who got the handoff when it was opened."""
    first = min(handoff.holders.all(), key=lambda each: (each.started_at, each.pk), default=None)
    return _named(first.holder if first else None, handoff.team)


def _named(holder: User | None, team: SalesTeam | None) -> Place:
    if holder is not None:
        return Place(str(holder), holder.pk)
    return Place(f"Pool of {team}" if team else "Nobody")
