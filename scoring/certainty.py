"""Criteria asked of leads of which not everything is known: true, false or unknown.

A comparison is unknown while the lead has no value for its field; all, any and not follow
(Kleene's logic): any of two is true when one is, whatever the other would say.
"""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import and_, or_

from django.db.models import Q

from crm.common.criteria import Criteria, Field, Kind, Op, leaves
from crm.common.criteria.tree import Group, Leaf

_CLOCK_OPS = frozenset({Op.WITHIN, Op.NOT_WITHIN, Op.COMING, Op.SINCE})
_EMPTINESS_OPS = frozenset({Op.IS_SET, Op.IS_EMPTY})

_NOBODY = Q(pk__in=[])

#: Stands for criteria that can no longer be read: of no lead is it known whether it fits.
UNREADABLE = Criteria(
    Leaf(
        Field("unreadable", "Unreadable", Kind.BOOLEAN, q=lambda *_: Q(), known=lambda _: _NOBODY),
        Op.IS,
        raw=True,
        value=True,
    )
)


def certainly_q(criteria: Criteria, *, now: datetime) -> Q:
    """Return the filter for leads that are known to fit."""
    return _certainly(criteria.root, True, now) if criteria.root else Q()


def certainly_not_q(criteria: Criteria, *, now: datetime) -> Q:
    """Return the filter for leads that are known not to fit."""
    return _certainly(criteria.root, False, now) if criteria.root else _NOBODY


def moves_with_time(criteria: Criteria) -> bool:
    """Return whether time alone can change the answer: relative dates, counts of recent acts."""
    return any(leaf.op in _CLOCK_OPS or leaf.field.kind is Kind.CUSTOM for leaf in leaves(criteria))


def _certainly(node: Leaf | Group, answer: bool, now: datetime) -> Q:
    """Return the filter for leads of which the node is known to be ``answer``."""
    if isinstance(node, Leaf):
        return _leaf(node, answer, now)
    if node.how == "not":
        return _certainly(node.parts[0], not answer, now)
    parts = [_certainly(part, answer, now) for part in node.parts]
    return reduce(and_ if (node.how == "all") is answer else or_, parts)


def _leaf(leaf: Leaf, answer: bool, now: datetime) -> Q:
    asked = leaf.field.q(leaf.op, leaf.value, now)
    told = asked if answer else ~asked
    if leaf.op in _EMPTINESS_OPS or leaf.field.known is None:
        return told
    return leaf.field.known(now) & told
