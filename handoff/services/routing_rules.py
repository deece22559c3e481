"""Writing routing rules: in order, to people who sell, without going round in circles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.common.criteria import parse
from crm.common.locks import lock_writes
from handoff.enums import RouteTo
from handoff.models import RepProfile, RoutingRule

_LAST_POSITION = 32_767  # of a small integer


class RoutingInvalid(ValueError):
    """A rule that cannot be used; the message says what to change."""


@transaction.atomic
def add_routing_rule(
    *,
    name: str,
    criteria: dict[str, Any],
    team: SalesTeam,
    position: int | None = None,
    **more: Any,
) -> RoutingRule:
    """Add a rule to the ordered list, without a position as its last.

    Raises:
        CriteriaInvalid: the tree cannot be read.
        RoutingInvalid: the position is taken, or ``check_rule`` refuses it.
    """
    lock_writes(RoutingRule)
    last = _last_position()
    if position is None and last == _LAST_POSITION:
        order_routing_rules(rule_ids=())
        last = _last_position()
    if position is not None and RoutingRule.objects.filter(position=position).exists():
        raise RoutingInvalid(f"Position {position} is taken by another rule.")
    rule = RoutingRule(
        position=last + 1 if position is None else position,
        name=name, criteria=criteria, team=team, **more,
    )  # fmt: skip
    check_rule(rule)
    rule.save(force_insert=True)
    return rule


def _last_position() -> int:
    return RoutingRule.objects.aggregate(last=Max("position"))["last"] or 0


@transaction.atomic
def change_routing_rule(*, rule_id: int, **changes: Any) -> RoutingRule:
    """Change what a rule says; it counts for what is routed from then on.

    Raises:
        CriteriaInvalid, RoutingInvalid: as ``add_routing_rule``.
    """
    lock_writes(RoutingRule)
    rule = RoutingRule.objects.get(pk=rule_id)
    for name, value in changes.items():
        setattr(rule, name, value)
    check_rule(rule)
    rule.save(update_fields=list(changes))
    return rule


@transaction.atomic
def order_routing_rules(*, rule_ids: Sequence[int]) -> None:
    """Try the rules in this order; those left out come after, as they were.

    Raises:
        RoutingInvalid: a rule is named twice, or is none.
    """
    lock_writes(RoutingRule)
    now = dict(RoutingRule.objects.order_by("position").values_list("pk", "position"))
    if len(set(rule_ids)) != len(rule_ids) or not set(rule_ids) <= now.keys():
        raise RoutingInvalid("The list of rules was changed since: look at it again.")
    wanted = [*rule_ids, *(pk for pk in now if pk not in rule_ids)]
    _put(_out_of_the_way(now))
    _put({pk: position for position, pk in enumerate(wanted, start=1)})


def _out_of_the_way(now: Mapping[int, int]) -> dict[int, int]:
    """Return a place behind the others for each rule that stands where another shall be."""
    taken = set(now.values())
    spare = (each for each in range(len(now) + 1, _LAST_POSITION + 1) if each not in taken)
    return {pk: next(spare) for pk, position in now.items() if position <= len(now)}


def _put(positions: Mapping[int, int]) -> None:
    for pk, position in positions.items():
        RoutingRule.objects.filter(pk=pk).update(position=position)


@transaction.atomic
def move_routing_rule(*, rule_id: int, by: int) -> None:
    """Move a rule ``by`` places down the list, up below zero; at an end it stays.

    Raises:
        RoutingInvalid: somebody has removed it.
    """
    lock_writes(RoutingRule)
    ids = list(RoutingRule.objects.order_by("position").values_list("pk", flat=True))
    if rule_id not in ids:
        raise RoutingInvalid("Somebody has removed this rule.")
    place = ids.index(rule_id)
    ids.insert(max(place + by, 0), ids.pop(place))
    order_routing_rules(rule_ids=ids)


@transaction.atomic
def remove_routing_rule(*, rule_id: int) -> None:
    """Take a rule out of the list; decisions that were taken by it keep its words.

    Raises:
        RoutingInvalid: it is the fallback of another rule.
    """
    lock_writes(RoutingRule)
    for rule in RoutingRule.objects.filter(pk=rule_id):
        _check_not_needed(rule)
        rule.delete()


def check_rule(rule: RoutingRule) -> None:
    """See that leads can follow the rule to somebody.

    Raises:
        CriteriaInvalid: the tree cannot be read.
        RoutingInvalid: a rep is missing or has left, the fallbacks go round in a circle, or one of
            two rules that lead to each other is off.
    """
    parse(rule.criteria)
    _check_switches(rule)
    if rule.to == RouteTo.REP:
        _check_rep(rule.rep)
    else:
        rule.rep = None
    _check_chain(rule)


def _check_rep(rep: User | None) -> None:
    if rep is None:
        raise RoutingInvalid("Choose the rep who gets these leads.")
    if not rep.is_active:
        raise RoutingInvalid(f"{rep} has left: choose somebody who sells, or a team.")
    if not rep.has_role(Role.REP) or rep.sales_team_id is None:
        raise RoutingInvalid(f"{rep} is no rep of a team: give them the role and a team first.")


def _check_switches(rule: RoutingRule) -> None:
    """See that no leads are sent on to a rule that is off: it is only tried in dry runs."""
    if rule.fallback is not None and not rule.fallback.is_active:
        raise RoutingInvalid(f"{rule.fallback} is off: switch it on, or choose another fallback.")
    if not rule.is_active:
        _check_not_needed(rule)


def _check_not_needed(rule: RoutingRule) -> None:
    user = RoutingRule.objects.filter(fallback=rule.pk).first() if rule.pk else None
    if user is not None:
        raise RoutingInvalid(f"It is the fallback of {user}: choose another one there first.")


def _check_chain(rule: RoutingRule) -> None:
    """Follow the fallbacks to their end."""
    names, seen, step = [rule.name], {rule.pk}, rule.fallback
    while step is not None:
        names.append(step.name)
        if step.pk in seen:
            way = " to ".join(names)
            raise RoutingInvalid(f"The fallbacks go in a circle, {way}: choose another one.")
        seen.add(step.pk)
        step = step.fallback


@transaction.atomic
def change_rep(
    *,
    user_id: int,
    weight: int,
    capacity: int,
    absent_from: datetime | None,
    absent_until: datetime | None,
) -> RepProfile:
    """Say how much work a rep gets, and when none; what they hold stays with them."""
    profile, _ = RepProfile.objects.update_or_create(
        user_id=user_id,
        defaults={
            "weight": weight, "capacity": capacity, "absent_from": absent_from,
            "absent_until": absent_until,
        },
    )  # fmt: skip
    return profile
