"""What an address asks of the lead list: view, filters, order, columns.

The page, its counts, the export, what is done to many and "next lead" all read the address here,
so that they agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.db.models import Q
from django.http import QueryDict
from django.utils.http import urlencode

from crm.accounts.models import User
from crm.common.criteria import (
    Chip,
    Criteria,
    CriteriaInvalid,
    Kind,
    Op,
    chips,
    column_field,
    compile_q,
    from_query,
    parse,
    to_query,
    top_leaves,
)
from crm.common.slots import Column, SavedView, lead_columns
from leads.models import Lead, LeadQuerySet
from leads.saved_views import EVERYTHING, first_view, views_of
from leads.services.views import ListShape

PAGE_SIZE = 50
PAGE_SIZES = (25, 50, 100)
TABLE, BOARD = "table", "board"
_NAME_ORDER = ("last_name", "first_name", "id")
_ACTIVE = column_field("active", "Active", Kind.DATE, path="last_activity_at")
_MOST_FILTERS = 30
_STEPS = {"up": -1, "down": 1}
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
    """A list as its address spells it. ``problems`` says what of it cannot be used.

    ``is_missing`` says that the view is none, or not to be seen by who asks; ``offered`` are those
    that are.
    """

    view: SavedView
    criteria: Criteria
    sort: Sort
    columns: tuple[Column, ...]
    page_size: int
    is_board: bool
    problems: tuple[str, ...] = ()
    is_missing: bool = False
    offered: tuple[SavedView, ...] = ()

    @cached_property
    def filters(self) -> list[str]:
        """Return the ``f`` parameters."""
        return to_query(self.criteria)

    @cached_property
    def chips(self) -> list[Chip]:
        """Return the row of chips."""
        return chips(self.criteria)

    @property
    def is_edited(self) -> bool:
        """Say whether anything differs from the saved view."""
        return len(self.pairs) > 1

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters that ask for this list, without the page."""
        view, pairs = self.view, [("view", self.view.name)]
        if self.filters != _filters_of(view):
            pairs += [("f", each) for each in self.filters or [""]]
        if self.sort.code != view.sort:
            pairs.append(("sort", self.sort.code))
        if self.columns != _read_columns(view.columns, []):
            pairs.append(("columns", ",".join(self.column_names)))
        if self.page_size != view.page_size:
            pairs.append(("size", str(self.page_size)))
        if self.is_board != view.is_board:
            pairs.append(("layout", BOARD if self.is_board else TABLE))
        return pairs

    @property
    def column_names(self) -> list[str]:
        """Return the names of its columns, in their order."""
        return [column.name for column in self.columns]

    @property
    def shape(self) -> ListShape:
        """Return what is kept of it as a view."""
        columns = [] if self.columns == _read_columns((), []) else self.column_names
        return ListShape(self.criteria.tree, self.sort.code, columns, self.page_size, self.is_board)

    @property
    def unshaped_pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of this list but for its columns and rows a page."""
        return [pair for pair in self.pairs if pair[0] not in ("columns", "size")]

    @property
    def unfiltered_pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of this list but for its filters."""
        return [pair for pair in self.pairs if pair[0] != "f"]

    @property
    def page_sizes(self) -> Sequence[int]:
        """Return how many rows a page may have."""
        return PAGE_SIZES

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

    def only_in(self, stage: str) -> ListAddress:
        """Return the same list of the leads in one stage."""
        kept = [each for each in self.filters if not each.startswith("stage.")]
        return self.with_filters([*kept, f"stage.in.{stage}"])

    def with_column_moved(self, move: str) -> ListAddress:
        """Return the same list with a column one place ``up:city`` or ``down:city``."""
        way, _, name = move.partition(":")
        names = self.column_names
        if name not in names or way not in _STEPS:
            return self
        place = names.index(name)
        other = place + _STEPS[way]
        if not 0 <= other < len(names):
            return self
        columns = list(self.columns)
        columns[place], columns[other] = columns[other], columns[place]
        return replace(self, columns=tuple(columns))

    def sorted_by(self, sort: Sort) -> ListAddress:
        """Return the same list in another order."""
        return replace(self, sort=sort)

    @property
    def as_table(self) -> ListAddress:
        """Return the same list as a table."""
        return replace(self, is_board=False)

    @property
    def as_board(self) -> ListAddress:
        """Return the same list as a board."""
        return replace(self, is_board=True)

    def leads(self, *, viewer: User, now: datetime) -> LeadQuerySet:
        """Return the leads it lists: of those that ``viewer`` may see."""
        if self.problems:
            return Lead.objects.none()
        return Lead.objects.visible_to(viewer).filter(
            compile_q(self.criteria, now=now, of_all=True)
        )

    def beginning(self, now: datetime) -> Q:
        """Return where the order of the oldest activity begins: nobody was active before they came.

        Else those who came this week would be sought among all who have not been seen for long.
        """
        beginning = Q()
        if self.sort.code == "-activity":
            for leaf in top_leaves(self.criteria):
                if leaf.field.name == "created" and leaf.op in (Op.AFTER, Op.SINCE):
                    beginning &= _ACTIVE.q(leaf.op, leaf.value, now)
        return beginning


def read_address(params: QueryDict, *, user: User) -> ListAddress:
    """Return the list that ``params`` ask for; what cannot be used is named, never dropped."""
    problems: list[str] = []
    offered = {view.name: view for view in views_of(user)}
    view, is_missing = _read_view(params, offered, user, problems)
    named = params.getlist("columns")
    names = [name for part in named for name in part.split(",") if name] or view.columns
    return ListAddress(
        view=view,
        criteria=_read_criteria(params, view, problems),
        sort=_read_sort(params.get("sort") or view.sort, problems),
        columns=_read_columns(names, problems),
        page_size=_read_size(params.get("size") or str(view.page_size), problems),
        is_board=_read_layout(params.get("layout"), view, problems),
        problems=tuple(problems),
        is_missing=is_missing,
        offered=tuple(offered.values()),
    )


def _read_view(
    params: QueryDict, offered: Mapping[str, SavedView], user: User, problems: list[str]
) -> tuple[SavedView, bool]:
    """Return the view asked for, and whether it is missing; without one, what the role begins with.

    Filters without a view are filters of everything.
    """
    name = params.get("view", "")
    if name in offered:
        return offered[name], False
    if name:
        problems.append(f"There is no view {name[:40]!r}.")
    is_asked = bool(name) or "f" in params
    return offered[EVERYTHING if is_asked else first_view(user, offered)], bool(name)


def _read_criteria(params: QueryDict, view: SavedView, problems: list[str]) -> Criteria:
    filters = params.getlist("f")
    if len(filters) > _MOST_FILTERS:
        problems.append(f"A list takes at most {_MOST_FILTERS} filters.")
        return parse({})
    try:
        return from_query(filters) if "f" in params else parse(view.tree)
    except CriteriaInvalid as invalid:
        problems += [f"A filter cannot be used: {sentence}." for _, sentence in invalid.problems]
        return parse({})


def _filters_of(view: SavedView) -> list[str] | None:
    """Return the filters of a view; None when one of them can no longer be used."""
    try:
        return to_query(parse(view.tree))
    except CriteriaInvalid:
        return None


def _read_size(text: str, problems: list[str]) -> int:
    if text in map(str, PAGE_SIZES):
        return int(text)
    offered = ", ".join(map(str, PAGE_SIZES))
    problems.append(f"A page cannot have {text[:40]!r} rows; it can {offered}.")
    return PAGE_SIZE


def _read_layout(code: str | None, view: SavedView, problems: list[str]) -> bool:
    if not code:
        return view.is_board
    if code not in (TABLE, BOARD):
        problems.append(f"A list is no {code[:40]!r}; it is a {TABLE} or a {BOARD}.")
    return code == BOARD


def _read_sort(code: str, problems: list[str]) -> Sort:
    offered = sorts()
    sort = offered.get(code.removeprefix("-"))
    is_reversed = code.startswith("-")
    if sort and (sort.can_turn or not is_reversed):
        return replace(sort, is_reversed=is_reversed)
    problems.append(f"The list cannot be sorted by {code[:40]!r}; it can by {', '.join(offered)}.")
    return offered["activity"]


def _read_columns(names: Sequence[str], problems: list[str]) -> tuple[Column, ...]:
    """Return the columns named, in that order; by default those shown to everybody."""
    if not names:
        return tuple(column for column in lead_columns if column.is_default)
    found = {name: lead_columns.get(name) for name in names}
    unknown = [name for name, column in found.items() if column is None]
    problems += [f"There is no column {name[:40]!r}." for name in unknown[:5]]
    return tuple(column for column in found.values() if column)


@dataclass(frozen=True)
class ColumnChoice:
    """One column that the list may show; those it shows come first, in their order."""

    column: Column
    is_shown: bool
    may_rise: bool = False
    may_sink: bool = False


def column_choices(address: ListAddress) -> list[ColumnChoice]:
    """Return every column, for the choice of those to show."""
    last = len(address.columns) - 1
    shown = [
        ColumnChoice(column, is_shown=True, may_rise=place > 0, may_sink=place < last)
        for place, column in enumerate(address.columns)
    ]
    others = [each for each in lead_columns if each not in address.columns]
    return shown + [ColumnChoice(column, is_shown=False) for column in others]


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
