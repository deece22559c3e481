"""A list as a board: one column a stage, each with a page of its own. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from crm.accounts.models import User
from crm.common.criteria import Op, top_leaves
from crm.common.paging import Count, Page, keyset_page, quick_count
from crm.common.plans import Plan, plan_of
from crm.common.stretches import Hint
from leads.enums import LifecycleStage
from leads.hints import hint_for
from leads.list_address import ListAddress
from leads.listing import Row, for_rows, load_rows
from leads.models import Lead, LeadQuerySet

#: Cards of a column at a time. Our choice: what a tall screen shows.
CARDS = 15


@dataclass(frozen=True)
class BoardColumn:
    """The leads of one stage; ``count`` is None when it takes longer than a page should."""

    stage: LifecycleStage
    rows: list[Row]
    next_cursor: str | None
    count: Count | None


def load_board(address: ListAddress, *, viewer: User, now: datetime) -> list[BoardColumn]:
    """Return the stages that the filters leave, each with its first leads in the list's order.

    What the cards show is loaded for all of them at once.
    """
    stages = list(_stages(address))
    found = [address.leads(viewer=viewer, now=now).filter(stage=stage) for stage in stages]
    plans = [plan_of(leads) for leads in found]
    pages = [
        _page(address, leads, hint_for(address, leads, plan, viewer=viewer, now=now))
        for leads, plan in zip(found, plans, strict=True)
    ]
    cards = [lead for page in pages for lead in page.items]
    rows = iter(load_rows(cards, address.columns, viewer=viewer, now=now))
    return [
        BoardColumn(
            stage, [next(rows) for _ in page.items], page.next_cursor, _count(page, leads, plan)
        )
        for stage, page, leads, plan in zip(stages, pages, found, plans, strict=True)
    ]


def load_column(
    address: ListAddress, stage: LifecycleStage, *, viewer: User, now: datetime, cursor: str | None
) -> BoardColumn:
    """Return further leads of one column."""
    found = address.leads(viewer=viewer, now=now).filter(stage=stage)
    hint = hint_for(address, found, plan_of(found), viewer=viewer, now=now)
    page = _page(address, found, hint, cursor)
    rows = load_rows(page.items, address.columns, viewer=viewer, now=now)
    return BoardColumn(stage, rows, page.next_cursor, None)


def _stages(address: ListAddress) -> Iterator[LifecycleStage]:
    """Yield the stages in which the list can have leads at all, by its own filters of stages."""
    asked = [leaf for leaf in top_leaves(address.criteria) if leaf.field.name == "stage"]
    for stage in LifecycleStage:
        if all((stage in leaf.value) is (leaf.op is Op.IN) for leaf in asked):
            yield stage


def _page(
    address: ListAddress,
    found: LeadQuerySet,
    hint: Hint[Lead] | None,
    cursor: str | None = None,
) -> Page[Lead]:
    return keyset_page(
        for_rows(found),
        ordering=address.sort.ordering,
        cursor=cursor,
        size=CARDS,
        hint=hint,
    )


def _count(page: Page[Lead], found: LeadQuerySet, plan: Plan) -> Count | None:
    if page.next_cursor is None:
        return Count(len(page.items), is_estimate=False)
    return quick_count(found, plan)
