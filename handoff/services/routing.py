"""Who gets a new handoff: the company's owner, else the next in turn of a rule's team."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.common.criteria import CriteriaInvalid, compile_q, parse
from handoff.enums import RouteTo
from handoff.models import AssignmentDecision, Handoff, RepProfile, RoutingRule, WorkCalendar
from handoff.rotation import Candidate, Choice, choose, give
from leads.models import Lead

logger = logging.getLogger(__name__)

#: One transaction routes at a time; any number that no other lock here uses.
_ADVISORY_LOCK = 7_214_003


@dataclass(frozen=True, slots=True)
class Route:
    """Where a handoff goes: a rep of ``team``, or its pool; ``rule`` and ``choice`` say why.

    ``to_pool``: a rule wants it there, and not for want of somebody.
    """

    team: SalesTeam | None
    holder: User | None
    rule: str
    choice: Choice
    to_pool: bool = False

    def record(self, handoff: Handoff, *, now: datetime) -> AssignmentDecision:
        """Write the decision down with every candidate."""
        return AssignmentDecision.objects.create(
            handoff=handoff,
            rule=self.rule,
            candidates=[
                {
                    "user": each.user_id,
                    "name": each.name,
                    "chosen": each.chosen,
                    "reason": each.reason,
                }
                for each in self.choice.considered
            ],
            chosen=self.holder,
            decided_at=now,
        )


@dataclass(frozen=True, slots=True)
class Rep:
    """A member of a ring, as an account and as a candidate."""

    user: User
    candidate: Candidate


def route(lead: Lead, *, now: datetime, without: Collection[int] = ()) -> Route:
    """Choose who gets ``lead``; nobody else routes until the transaction ends.

    Whether somebody can be given work is asked here and now: active, a rep, in a team, not away,
    below their cap, and not one of those ``without`` whom it shall be done, by their ids.
    """
    route_alone()
    reps = _reps(now, without)
    owner = _company_owner(lead, reps)
    if owner is not None:
        choice = give(owner.candidate, f"Looks after {lead.company}")
        chosen = Route(owner.user.sales_team, owner.user, "Company owner first", choice)
    else:
        chosen = follow_rules(_first_fitting(lead, now=now), reps)
    if chosen.holder is not None:
        RepProfile.objects.filter(pk=chosen.holder.pk).update(turn=chosen.choice.turn)
    return chosen


def follow_rules(rule: RoutingRule | None, reps: Mapping[int, Rep]) -> Route:
    """Return where ``rule`` and its fallbacks lead; None is the oldest team, where no rule fits.

    Nobody free at the end is the pool of the first team asked.
    """
    if rule is None:
        team = SalesTeam.objects.order_by("id").first()
        words = f"No rule fits: {team}, the first team" if team else "There is no sales team"
        return _in_ring(team, words, _ring(team, reps), reps)
    way = _follow(rule, reps, str(rule))
    considered = list(way.choice.considered)
    for step in _fallbacks(rule):
        if way.holder or way.to_pool:
            break
        way = _follow(step, reps, f"{way.rule}: nobody free, so {step}")
        considered += way.choice.considered
    choice = replace(way.choice, considered=tuple(considered))
    team = way.team if way.holder or way.to_pool else rule.team
    return replace(way, team=team, choice=choice)


def _fallbacks(rule: RoutingRule) -> Iterator[RoutingRule]:
    """Yield the fallbacks in turn, each once, whatever somebody has made of the table."""
    seen, step = {rule.pk}, rule.fallback
    while step is not None and step.pk not in seen:
        yield step
        seen.add(step.pk)
        step = step.fallback


def _follow(rule: RoutingRule, reps: Mapping[int, Rep], words: str) -> Route:
    """Return where one rule leads, without its fallback."""
    if rule.to == RouteTo.POOL:
        return Route(rule.team, None, words, choose(()), to_pool=True)
    if rule.to == RouteTo.TEAM:
        return _in_ring(rule.team, words, _ring(rule.team, reps), reps)
    rep = reps.get(rule.rep_id or 0)
    gone = Candidate(rule.rep_id or 0, str(rule.rep), barrier="No longer sells")
    return _in_ring(rule.team, words, [rep.candidate if rep else gone], reps)


def _ring(team: SalesTeam | None, reps: Mapping[int, Rep]) -> list[Candidate]:
    return [rep.candidate for rep in reps.values() if team and rep.user.sales_team == team]


def _in_ring(
    team: SalesTeam | None, words: str, ring: Sequence[Candidate], reps: Mapping[int, Rep]
) -> Route:
    choice = choose(ring)
    holder = reps[choice.chosen.user_id].user if choice.chosen else None
    return Route(team, holder, words, choice)


def fits(lead: Lead, criteria: dict[str, Any], *, now: datetime) -> bool:
    """Say whether ``lead`` fits a tree of the criteria language.

    A tree that was valid once and is not any more (its attribute is gone) fits nobody: a broken
    rule must not keep a lead from being handed over.
    """
    try:
        asked = compile_q(parse(criteria), now=now)
    except CriteriaInvalid as problem:
        logger.error("Criteria are broken and fit no lead: %s", problem)  # noqa: TRY400 -- no trace
        return False
    return not asked or Lead.objects.filter(asked, pk=lead.pk).exists()


def route_alone() -> None:
    """Let the openings of all teams come one after the other, until the transaction ends.

    One lock for all teams, because one transaction may open handoffs of several: two that lock team
    by team, in different orders, would wait for each other for ever. A lock of its own rather than
    of rows, because somebody who has just become a rep has no row yet.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


def _reps(now: datetime, without: Collection[int]) -> dict[int, Rep]:
    """Return every member of a ring as routing sees them; nobody else routes meanwhile."""
    _join_rings()
    profiles = list(
        RepProfile.objects.select_related("user__sales_team")
        .filter(user__sales_team__isnull=False, user__roles__contains=[Role.REP])
        .order_by("pk")
    )
    open_of = dict(
        Handoff.objects.open()
        .filter(holder__in=[each.pk for each in profiles])
        .values_list("holder")
        .annotate(number=Count("pk"))
    )
    hours = Hours.current()
    return {
        each.pk: Rep(
            each.user,
            _candidate(each, open_of.get(each.pk, 0), hours, now, had_it=each.pk in without),
        )
        for each in profiles
    }


def _join_rings() -> None:
    """Give reps who have none yet a place in their ring."""
    new = User.objects.reps().filter(sales_team__isnull=False, rep_profile__isnull=True)
    RepProfile.objects.bulk_create([RepProfile(user=each) for each in new], ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class Hours:
    """The current calendars, to ask of many people whether they are at work."""

    of_rep: Mapping[int, WorkCalendar]
    of_team: Mapping[int, WorkCalendar]
    of_all: WorkCalendar | None

    @classmethod
    def current(cls) -> Hours:
        """Read them all: they are few."""
        found = list(WorkCalendar.objects.current())
        return cls(
            of_rep={each.rep_id: each for each in found if each.rep_id},
            of_team={each.team_id: each for each in found if each.team_id},
            of_all=next((each for each in found if each.is_default), None),
        )

    def opens_at(self, user: User, now: datetime) -> datetime | None:
        """Return when the person's hours begin again; None while they are at work."""
        calendar = self.calendar_of(user)
        return calendar.opens_at(now) if calendar else None

    def calendar_of(self, user: User) -> WorkCalendar | None:
        """Return whose hours the person's are: their own, their team's or everybody's."""
        own = self.of_rep.get(user.pk) or self.of_team.get(user.sales_team_id or 0)
        return own or self.of_all

    def closed_words(self, user: User, now: datetime) -> str:
        """Say until when the person is outside of their hours; empty while they are at work."""
        calendar, opens_at = self.calendar_of(user), self.opens_at(user, now)
        if calendar is None or opens_at is None:
            return ""
        local = opens_at.astimezone(calendar.hours.timezone)
        return f"Outside of their hours until {local:%a %H:%M}"


def _candidate(
    profile: RepProfile, open_handoffs: int, hours: Hours, now: datetime, *, had_it: bool
) -> Candidate:
    return Candidate(
        user_id=profile.pk,
        name=profile.user.full_name,
        turn=profile.turn,
        weight=profile.weight,
        barrier="Had it before" if had_it else _barrier(profile, open_handoffs, now),
        closed=hours.closed_words(profile.user, now),
    )


def _barrier(profile: RepProfile, open_handoffs: int, now: datetime) -> str:
    """Say why the rep cannot be given work now; empty when they can."""
    if not profile.user.is_active:
        return "No longer active"
    if profile.is_absent(now):
        return absence_words(profile)
    if open_handoffs >= profile.capacity:
        return f"At the cap: {open_handoffs} of {profile.capacity} open"
    return ""


def absence_words(profile: RepProfile) -> str:
    """Say until when the rep is away."""
    if profile.absent_until is None:
        return "Absent"
    until = timezone.localtime(profile.absent_until)
    return f"Absent until {until.day} {until:%b}"


def _company_owner(lead: Lead, reps: dict[int, Rep]) -> Rep | None:
    """Return who was last handed somebody of the same company, if they can take one more."""
    if lead.company_id is None:
        return None
    latest = (
        Handoff.objects.filter(lead__company=lead.company_id, holder__isnull=False)
        .order_by("-opened_at", "-id")
        .values_list("holder", flat=True)
        .first()
    )
    owner = reps.get(latest) if latest else None
    return owner if owner and not owner.candidate.barrier else None


def _first_fitting(lead: Lead, *, now: datetime) -> RoutingRule | None:
    """Return the first active rule that ``lead`` fits."""
    rules = RoutingRule.objects.filter(is_active=True).order_by("position")
    of_all = rules.select_related("team", "rep", "fallback")
    return next((rule for rule in of_all if fits(lead, rule.criteria, now=now)), None)
