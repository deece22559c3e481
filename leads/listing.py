"""The rows that a list finds, how many there are, and the views above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from django.db.models import Model, QuerySet

from crm.accounts.models import SalesTeam, User
from crm.common.criteria import Chip, CriteriaInvalid, compile_q, parse
from crm.common.paging import (
    Count,
    Page,
    estimate_count,
    keyset_page,
    quick_count,
    rough_count,
)
from crm.common.plans import plan_of
from crm.common.prepared import PreparedQuery
from crm.common.slots import Column, SavedView
from leads.hints import hint_for
from leads.list_address import ListAddress
from leads.models import Lead, LeadQuerySet

_CHUNK = 500
_OWNERS = PreparedQuery(lambda ids: User.objects.filter(pk__among=ids).only("full_name", "email"))
_TEAMS = PreparedQuery(lambda ids: SalesTeam.objects.filter(pk__among=ids))
M = TypeVar("M", bound=Model)


class Cell(NamedTuple):
    """One value of one row; a list has hundreds."""

    column: Column
    value: Any


@dataclass(frozen=True, slots=True)
class Row:
    """One lead with its cells."""

    lead: Lead
    cells: list[Cell]


@dataclass(frozen=True)
class LeadList:
    """One page of the list; ``count`` is None when it takes longer than a page should."""

    rows: list[Row]
    page: Page[Lead]
    count: Count | None


def load_list(
    address: ListAddress, *, viewer: User, now: datetime, cursor: str | None = None
) -> LeadList:
    """Return one page of the list; its queries do not grow with its rows."""
    found = address.leads(viewer=viewer, now=now)
    plan = plan_of(found)
    rest = found if cursor else found.filter(address.beginning(now))
    page = keyset_page(
        for_rows(rest),
        ordering=address.sort.ordering,
        cursor=cursor,
        size=address.page_size,
        hint=hint_for(address, found, plan, viewer=viewer, now=now),
    )
    rows = load_rows(page.items, address.columns, viewer=viewer, now=now)
    is_whole = page.next_cursor is None and page.previous_cursor is None
    count = Count(len(rows), is_estimate=False) if is_whole else quick_count(found, plan)
    return LeadList(rows, page, count)


def for_rows(leads: LeadQuerySet) -> LeadQuerySet:
    """Load what rows show and no more; people come apart, so that no join has to be sorted."""
    return leads.defer("search_text", "attributes")


def load_rows(
    leads: Sequence[Lead], columns: Iterable[Column], *, viewer: User, now: datetime
) -> list[Row]:
    """Return the rows of ``leads``; the values of all of them are loaded at once."""
    if not leads:
        return []
    _load_people(leads)
    lead_ids = [lead.pk for lead in leads]
    shown = tuple(columns)
    loads = dict.fromkeys(column.load for column in shown)
    loaded = {load: load(lead_ids, viewer, now) for load in loads}
    values = [(column, loaded[column.load]) for column in shown]
    return [Row(lead, [Cell(column, of.get(lead.pk)) for column, of in values]) for lead in leads]


def _load_people(leads: Sequence[Lead]) -> None:
    """Load who has each lead: its owner, or the team in whose pool it is."""
    pooled = [lead for lead in leads if lead.owner_id is None]
    owners = _by_id(_OWNERS, [lead.owner_id for lead in leads])
    teams = _by_id(_TEAMS, [lead.team_id for lead in pooled])
    for lead in leads:
        lead.owner = owners.get(lead.owner_id)
    for lead in pooled:
        lead.team = teams.get(lead.team_id)


def _by_id(query: PreparedQuery[M], ids: Sequence[int | None]) -> dict[int | None, M]:
    known = list(set(ids) - {None})
    return {each.pk: each for each in query.ask(known)} if known else {}


def stream_rows(
    leads: QuerySet[Lead], columns: Sequence[Column], *, viewer: User, now: datetime
) -> Iterator[Row]:
    """Yield the rows of a list of any length, in constant memory."""
    found = iter(leads.iterator(chunk_size=_CHUNK))
    while chunk := list(islice(found, _CHUNK)):
        yield from load_rows(chunk, columns, viewer=viewer, now=now)


@dataclass(frozen=True)
class Widest:
    """The filter whose removal would show the most leads, and how many."""

    chip: Chip
    count: Count


def widest_filter(address: ListAddress, *, viewer: User, now: datetime) -> Widest | None:
    """Return which filter of a list without rows keeps out the most leads."""
    found = [
        Widest(chip, rough_count(address.without(chip.query).leads(viewer=viewer, now=now)))
        for chip in address.chips
    ]
    return max(found, key=lambda each: each.count.value, default=None)


@dataclass(frozen=True)
class Tab:
    """One saved view above the list; ``count`` is None until it was asked for."""

    view: SavedView
    is_current: bool
    count: Count | None

    @property
    def is_toned(self) -> bool:
        """Say whether the tab has its colour: not when it is known to be empty."""
        return bool(self.view.tone) and (self.count is None or self.count.value > 0)


def view_tabs(address: ListAddress, counts: Mapping[str, Count] | None = None) -> list[Tab]:
    """Return the saved views that are offered beside the list."""
    known = counts or {}
    return [
        Tab(view, view.name == address.view.name, known.get(view.name)) for view in address.offered
    ]


def count_views(views: Iterable[SavedView], *, viewer: User, now: datetime) -> Mapping[str, Count]:
    """Return how many leads each view holds for ``viewer``; a spoilt one has no count."""
    counted = ((view.name, _count_view(view, viewer, now)) for view in views)
    return {name: count for name, count in counted if count is not None}


def _count_view(view: SavedView, viewer: User, now: datetime) -> Count | None:
    try:
        asked = compile_q(parse(view.tree), now=now, of_all=True)
    except CriteriaInvalid:
        return None
    return estimate_count(Lead.objects.visible_to(viewer).filter(asked))
