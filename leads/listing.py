"""What an address asks of the lead list: view, filters, order, columns; and the rows it finds.

The page, its counts, the export and "next lead" all read the address here, so that they agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.http import urlencode

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.common.criteria import (
    Chip,
    Criteria,
    CriteriaInvalid,
    chips,
    compile_q,
    from_query,
    parse,
    to_query,
)
from crm.common.paging import Count, Page, estimate_count, keyset_page, quick_count
from crm.common.prepared import PreparedQuery
from crm.common.slots import Column, SavedView, lead_columns, lead_views
from leads.models import Lead, LeadQuerySet

EVERYTHING = "all"
FIRST_VIEW_OF_MARKETERS = "new"
PAGE_SIZE = 50
_CHUNK = 500
_OWNERS = PreparedQuery(lambda ids: User.objects.filter(pk__among=ids).only("full_name", "email"))
_TEAMS = PreparedQuery(lambda ids: SalesTeam.objects.filter(pk__among=ids))
M = TypeVar("M", bound=Model)
_NAME_ORDER = ("last_name", "first_name", "id")
_MOST_FILTERS = 30
_NAME_WORDS = ("By name, A to Z", "By name, Z to A")


@dataclass(frozen=True)
class Sort:
    """One order of the list. ``code`` stands in addresses, with a minus when turned round.

    ``said`` are the words of the order, and then of its reverse if it has one.
    """

    column: str
    said: tuple[str, ...]
    terms: tuple[str, ...]
    is_reversed: bool = False

    @property
    def code(self) -> str:
        """Return what ``sort=`` says."""
        return f"-{self.column}" if self.is_reversed else self.column

    @property
    def ordering(self) -> tuple[str, ...]:
        """Return the order_by terms."""
        return tuple(map(_turned, self.terms)) if self.is_reversed else self.terms

    @property
    def is_descending(self) -> bool:
        """Say whether the greatest value comes first."""
        return self.ordering[0].startswith("-")

    @property
    def words(self) -> str:
        """Return the order as a person says it: ``Newest activity first``."""
        return self.said[self.is_reversed]

    @property
    def can_turn(self) -> bool:
        """Say whether the other direction is an order of an index too: not with unknown values."""
        return not self.terms[0].endswith("?")


def _turned(term: str) -> str:
    return term[1:] if term.startswith("-") else f"-{term}"


def sorts() -> dict[str, Sort]:
    """Return every order that is offered, by column: those that an index holds."""
    offered = {"name": Sort("name", _NAME_WORDS, _NAME_ORDER)}
    for column in lead_columns:
        if column.sort:
            offered[column.name] = Sort(column.name, column.sort_words, column.sort)
    return offered


@dataclass(frozen=True)
class ListAddress:
    """A list as its address spells it. ``problems`` says what of it cannot be used."""

    view: SavedView
    criteria: Criteria
    sort: Sort
    columns: tuple[Column, ...]
    names_columns: bool = False
    problems: tuple[str, ...] = ()

    @cached_property
    def filters(self) -> list[str]:
        """Return the ``f`` parameters."""
        return to_query(self.criteria)

    @cached_property
    def chips(self) -> list[Chip]:
        """Return the row of chips."""
        return chips(self.criteria)

    @cached_property
    def is_edited(self) -> bool:
        """Say whether filters or order differ from the saved view."""
        return self.filters != to_query(parse(self.view.tree)) or self.sort.code != self.view.sort

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters that ask for this list, without the page."""
        pairs = [("view", self.view.name)]
        if self.filters != to_query(parse(self.view.tree)):
            pairs += [("f", each) for each in self.filters or [""]]
        if self.sort.code != self.view.sort:
            pairs.append(("sort", self.sort.code))
        if self.names_columns:
            pairs.append(("columns", ",".join(column.name for column in self.columns)))
        return pairs

    @property
    def pairs_without_columns(self) -> list[tuple[str, str]]:
        """Return the parameters of this list but for its columns."""
        return [pair for pair in self.pairs if pair[0] != "columns"]

    @cached_property
    def query(self) -> str:
        """Return ``pairs`` as the end of an address."""
        return urlencode(self.pairs)

    def with_filters(self, filters: Sequence[str]) -> ListAddress:
        """Return the same list with other filters.

        Raises:
            CriteriaInvalid: when one of them cannot be used.
        """
        return replace(self, criteria=from_query(filters))

    def without(self, query: str) -> ListAddress:
        """Return the same list without one chip."""
        return self.with_filters([each for each in self.filters if each != query])

    def sorted_by(self, sort: Sort) -> ListAddress:
        """Return the same list in another order."""
        return replace(self, sort=sort)

    def leads(self, *, viewer: User, now: datetime) -> LeadQuerySet:
        """Return the leads it lists: of those that ``viewer`` may see."""
        if self.problems:
            return Lead.objects.none()
        return Lead.objects.visible_to(viewer).filter(compile_q(self.criteria, now=now))


def views_of(user: User) -> list[SavedView]:
    """Return the saved views for the desks of ``user``."""
    return [view for view in lead_views if not view.roles or user.has_role(*view.roles)]


def read_address(params: QueryDict, *, user: User) -> ListAddress:
    """Return the list that ``params`` ask for; what cannot be used is named, never dropped."""
    problems: list[str] = []
    view = _read_view(params, user, problems)
    names = [name for part in params.getlist("columns") for name in part.split(",") if name]
    return ListAddress(
        view=view,
        criteria=_read_criteria(params, view, problems),
        sort=_read_sort(params.get("sort") or view.sort, problems),
        columns=_read_columns(names, problems),
        names_columns=bool(names),
        problems=tuple(problems),
    )


def _read_view(params: QueryDict, user: User, problems: list[str]) -> SavedView:
    """Return the view asked for; filters without a view are filters of everything."""
    offered = {view.name: view for view in views_of(user)}
    name = params.get("view", "")
    if name and name not in offered:
        problems.append(f"There is no view {name[:40]!r}.")
    if name not in offered:
        is_first = "f" not in params and user.has_role(Role.MARKETER)
        name = FIRST_VIEW_OF_MARKETERS if is_first else EVERYTHING
    return offered[name]


def _read_criteria(params: QueryDict, view: SavedView, problems: list[str]) -> Criteria:
    if "f" not in params:
        return parse(view.tree)
    filters = params.getlist("f")
    if len(filters) > _MOST_FILTERS:
        problems.append(f"A list takes at most {_MOST_FILTERS} filters.")
        return parse({})
    try:
        return from_query(filters)
    except CriteriaInvalid as invalid:
        problems += [f"A filter cannot be used: {sentence}." for _, sentence in invalid.problems]
        return parse({})


def _read_sort(code: str, problems: list[str]) -> Sort:
    offered = sorts()
    sort = offered.get(code.removeprefix("-"))
    is_reversed = code.startswith("-")
    if sort and (sort.can_turn or not is_reversed):
        return replace(sort, is_reversed=is_reversed)
    problems.append(f"The list cannot be sorted by {code[:40]!r}; it can by {', '.join(offered)}.")
    return offered["activity"]


def _read_columns(names: Sequence[str], problems: list[str]) -> tuple[Column, ...]:
    """Return the columns named, in their usual order; by default those shown to everybody."""
    if not names:
        return tuple(column for column in lead_columns if column.is_default)
    unknown = [name for name in names if lead_columns.get(name) is None]
    problems += [f"There is no column {name[:40]!r}." for name in unknown[:5]]
    return tuple(column for column in lead_columns if column.name in names)


@dataclass(frozen=True)
class Header:
    """The head of one column; ``query`` asks for its order, which ``order`` says in words.

    ``direction`` says that the list has its order now, or the reverse of it.
    """

    label: str
    css: str
    query: str = ""
    order: str = ""
    direction: str = ""


def headers(address: ListAddress) -> list[Header]:
    """Return the heads of the columns, the name first."""
    offered = sorts()
    named = [
        ("name", "Name", ""),
        *((each.name, each.label, each.align) for each in address.columns),
    ]
    return [_header(address, offered.get(name), label, css) for name, label, css in named]


def _header(address: ListAddress, sort: Sort | None, label: str, css: str) -> Header:
    if sort is None:
        return Header(label, css)
    if sort.column != address.sort.column:
        return Header(label, css, address.sorted_by(sort).query, sort.words)
    turned = replace(address.sort, is_reversed=sort.can_turn and not address.sort.is_reversed)
    direction = "descending" if address.sort.is_descending else "ascending"
    return Header(label, css, address.sorted_by(turned).query, turned.words, direction)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of one row."""

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
    page = keyset_page(
        for_rows(found), ordering=address.sort.ordering, cursor=cursor, size=PAGE_SIZE
    )
    rows = load_rows(page.items, address.columns, viewer=viewer, now=now)
    is_whole = page.next_cursor is None and page.previous_cursor is None
    count = Count(len(rows), is_estimate=False) if is_whole else quick_count(found)
    return LeadList(rows, page, count)


def for_rows(leads: LeadQuerySet) -> LeadQuerySet:
    """Load what rows show and no more; people come apart, so that no join has to be sorted."""
    return leads.defer("search_text", "attributes")


def load_rows(
    leads: Sequence[Lead], columns: Iterable[Column], *, viewer: User, now: datetime
) -> list[Row]:
    """Return the rows of ``leads``; the values of all of them are loaded at once."""
    _load_people(leads)
    lead_ids = [lead.pk for lead in leads]
    shown = tuple(columns)
    loads = dict.fromkeys(column.load for column in shown) if leads else {}
    loaded = {load: load(lead_ids, viewer, now) for load in loads}
    return [
        Row(lead, [Cell(column, loaded[column.load].get(lead.pk)) for column in shown])
        for lead in leads
    ]


def _load_people(leads: Sequence[Lead]) -> None:
    owners = _by_id(_OWNERS, [lead.owner_id for lead in leads])
    teams = _by_id(_TEAMS, [lead.team_id for lead in leads])
    for lead in leads:
        lead.owner = owners.get(lead.owner_id)
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
        Widest(chip, estimate_count(address.without(chip.query).leads(viewer=viewer, now=now)))
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


def view_tabs(
    address: ListAddress, *, viewer: User, counts: Mapping[str, Count] | None = None
) -> list[Tab]:
    """Return the saved views of ``viewer``."""
    known = counts or {}
    return [Tab(view, view == address.view, known.get(view.name)) for view in views_of(viewer)]


def count_views(*, viewer: User, now: datetime) -> Mapping[str, Count]:
    """Return how many leads each saved view of ``viewer`` holds."""
    mine = Lead.objects.visible_to(viewer)
    return {
        view.name: estimate_count(mine.filter(compile_q(parse(view.tree), now=now)))
        for view in views_of(viewer)
    }
