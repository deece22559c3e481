"""What helps to find the next leads of a list, where it has few of all: see ``paging``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import reduce
from operator import and_

from django.db.models import Q

from crm.accounts.models import User
from crm.common.conditions import Ids, asks_only_for, ids_by_table
from crm.common.criteria import Criteria, compile_q, top_leaves
from crm.common.orders import read_term
from crm.common.paging import ordered
from crm.common.plans import FEW, Plan, is_straight, plan_of
from crm.common.stretches import Hint
from leads.list_address import ListAddress
from leads.models import Lead, LeadQuerySet

#: More ids are not read to find a page, nor for more of the planner's units: 3 to 5 ms with a
#: million leads, 2026-11.
MOST_ROWS, MOST_COST = 50_000, 2_500
#: So few leads are all looked up sooner than the next are found among a million, in 2 to 4 ms for
#: each thousand; twice as many where their ids alone cost more than ``MOST_COST``.
SHORT, SHORT_BUT_DEAR = 2_500, 5_000
_PAGE = 50


def hint_for(
    address: ListAddress, found: LeadQuerySet, plan: Plan, *, viewer: User, now: datetime
) -> Hint[Lead] | None:
    """Return what is known of ``found``, leads of ``address`` of which ``plan`` is expected.

    None when the planner knows best: of very few, which are sorted, of many, which are near, and
    where one index has them in their order.
    """
    if not FEW < plan.rows <= MOST_ROWS:
        return None
    asked = [
        compile_q(Criteria(leaf), now=now, of_all=True) for leaf in top_leaves(address.criteria)
    ]
    among, is_short = _narrowest(_possible(asked, viewer))
    if among is None:
        return nearby(plan, viewer)
    if not plan.is_guess and is_straight(ordered(found, address.sort.ordering)[:_PAGE]):
        return None
    column = read_term(address.sort.ordering[0]).path
    bounds = [each for each in asked if asks_only_for(each, column)]
    bound = reduce(and_, bounds, address.beginning(now))
    return Hint(Lead.objects.standing(), among, is_short, bound)


def nearby(plan: Plan, viewer: User) -> Hint[Lead] | None:
    """Return that a page is to be sought among the leads next to it, if ``plan`` is a guess."""
    return Hint(Lead.objects.visible_to(viewer)) if plan.is_guess else None


def _possible(asked: Iterable[Q], viewer: User) -> Iterator[Ids]:
    """Yield ids among which are those of all leads that pass all conditions."""
    if not viewer.sees_all_leads:
        yield Ids(Lead.objects.visible_to(viewer), "pk")
    yield from ids_by_table(Lead.objects.standing(), asked)


def _narrowest(possible: Iterable[Ids]) -> tuple[Ids | None, bool]:
    """Return the fewest of those that are soon read, and whether those are few enough to sort."""
    plans = [(plan_of(each.values), each) for each in possible]
    soon = [(plan, ids) for plan, ids in plans if plan.rows <= _most_rows(plan)]
    if not soon:
        return None, False
    plan, ids = min(soon, key=lambda each: each[0].rows)
    return ids, plan.rows <= SHORT or plan.total_cost > MOST_COST


def _most_rows(plan: Plan) -> int:
    return MOST_ROWS if plan.total_cost <= MOST_COST else SHORT_BUT_DEAR
