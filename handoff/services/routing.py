"""Who gets a new handoff: the company's owner, else the next in turn of a rule's team."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.common.criteria import CriteriaInvalid, compile_q, parse
from crm.common.locks import lock_writes
from handoff.models import AssignmentDecision, Handoff, RepProfile, RoutingRule
from handoff.rotation import Candidate, Choice, choose, give
from leads.models import Lead

logger = logging.getLogger(__name__)

#: One transaction routes at a time; any number that no other lock here uses.
_ADVISORY_LOCK = 7_214_003


@dataclass(frozen=True, slots=True)
class Route:
    """Where a handoff goes: a rep of ``team``, or its pool; ``rule`` and ``choice`` say why."""

    team: SalesTeam | None
    holder: User | None
    rule: str
    choice: Choice

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
class _Rep:
    """A member of a ring, as an account and as a candidate."""

    user: User
    candidate: Candidate


class RoutingInvalid(ValueError):
    """A rule that cannot be used; the message says what to change."""


@transaction.atomic
def add_routing_rule(
    *, position: int, name: str, criteria: dict[str, Any], team: SalesTeam
) -> RoutingRule:
    """Add a rule to the ordered list.

    Raises:
        CriteriaInvalid: the tree cannot be read.
        RoutingInvalid: the position is taken.
    """
    parse(criteria)
    lock_writes(RoutingRule)
    if RoutingRule.objects.filter(position=position).exists():
        raise RoutingInvalid(f"Position {position} is taken by another rule.")
    return RoutingRule.objects.create(position=position, name=name, criteria=criteria, team=team)


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
        team, rule = _team_for(lead, now=now)
        ring = [rep.candidate for rep in reps.values() if team and rep.user.sales_team == team]
        choice = choose(ring)
        holder = reps[choice.chosen.user_id].user if choice.chosen else None
        chosen = Route(team, holder, rule, choice)
    if chosen.holder is not None:
        RepProfile.objects.filter(pk=chosen.holder.pk).update(turn=choice.turn)
    return chosen


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


def _reps(now: datetime, without: Collection[int]) -> dict[int, _Rep]:
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
    return {
        each.pk: _Rep(
            each.user,
            _candidate(each, open_of.get(each.pk, 0), now, had_it=each.pk in without),
        )
        for each in profiles
    }


def _join_rings() -> None:
    """Give reps who have none yet a place in their ring."""
    new = User.objects.reps().filter(sales_team__isnull=False, rep_profile__isnull=True)
    RepProfile.objects.bulk_create([RepProfile(user=each) for each in new], ignore_conflicts=True)


def _candidate(
    profile: RepProfile, open_handoffs: int, now: datetime, *, had_it: bool
) -> Candidate:
    return Candidate(
        user_id=profile.pk,
        name=profile.user.full_name,
        turn=profile.turn,
        weight=profile.weight,
        barrier="Had it before" if had_it else _barrier(profile, open_handoffs, now),
    )


def _barrier(profile: RepProfile, open_handoffs: int, now: datetime) -> str:
    """Say why the rep cannot be given work now; empty when they can."""
    if not profile.user.is_active:
        return "No longer active"
    if profile.is_absent(now):
        return _absence_words(profile)
    if open_handoffs >= profile.capacity:
        return f"At the cap: {open_handoffs} of {profile.capacity} open"
    return ""


def _absence_words(profile: RepProfile) -> str:
    if profile.absent_until is None:
        return "Absent"
    until = timezone.localtime(profile.absent_until)
    return f"Absent until {until.day} {until:%b}"


def _company_owner(lead: Lead, reps: dict[int, _Rep]) -> _Rep | None:
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


def _team_for(lead: Lead, *, now: datetime) -> tuple[SalesTeam | None, str]:
    """Return the team of the first rule that ``lead`` fits; without one the oldest team."""
    for rule in RoutingRule.objects.select_related("team").order_by("position"):
        if fits(lead, rule.criteria, now=now):
            return rule.team, str(rule)
    team = SalesTeam.objects.order_by("id").first()
    return team, f"No rule fits: {team}, the first team" if team else "There is no sales team"
