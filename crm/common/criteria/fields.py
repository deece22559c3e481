"""What criteria can ask: the registry of fields, each app brings its own in ``furniture.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from django.db.models import Q

from crm.common.criteria import values
from crm.common.criteria.values import ValueInvalid
from crm.common.registry import Registry

__all__ = ["Field", "Kind", "Op", "ValueInvalid", "column_field", "fields"]


class Kind(Enum):
    """How a field's values are read and edited."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CUSTOM = "custom"


class Op(StrEnum):
    """The comparisons: ``WITHIN`` looks back from now, ``COMING`` ahead, ``SINCE`` to a start."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    BEFORE = "before"
    AFTER = "after"
    WITHIN = "within"
    NOT_WITHIN = "not_within"
    COMING = "coming"
    SINCE = "since"
    IS_SET = "is_set"
    IS_EMPTY = "is_empty"


WORDS = {
    Op.IS: "is",
    Op.IS_NOT: "is not",
    Op.IN: "is",
    Op.NOT_IN: "is not",
    Op.CONTAINS: "contains",
    Op.STARTS_WITH: "starts with",
    Op.AT_LEAST: "is at least",
    Op.AT_MOST: "is at most",
    Op.BEFORE: "is before",
    Op.AFTER: "is on or after",
    Op.WITHIN: "within the last",
    Op.NOT_WITHIN: "not within the last",
    Op.COMING: "within the next",
    Op.SINCE: "is",
    Op.IS_SET: "is known",
    Op.IS_EMPTY: "is unknown",
}
BARE_OPS = frozenset({Op.IS_SET, Op.IS_EMPTY})
SINCE_WORDS = {"today": "today", "week": "this week", "month": "this month"}

_EMPTINESS = (Op.IS_SET, Op.IS_EMPTY)
#: In the order of the editor, which opens with the first.
OPS_OF_KIND: dict[Kind, tuple[Op, ...]] = {
    Kind.TEXT: (Op.CONTAINS, Op.IS, Op.IS_NOT, Op.STARTS_WITH, *_EMPTINESS),
    Kind.NUMBER: (Op.IS, Op.AT_LEAST, Op.AT_MOST, *_EMPTINESS),
    Kind.DATE: (
        Op.SINCE, Op.WITHIN, Op.NOT_WITHIN, Op.COMING, Op.BEFORE, Op.AFTER, *_EMPTINESS
    ),
    Kind.BOOLEAN: (Op.IS,),
    Kind.CHOICE: (Op.IN, Op.NOT_IN, *_EMPTINESS),
    Kind.CUSTOM: (Op.IS, Op.IS_NOT),
}  # fmt: skip

_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: values.text,
    Kind.NUMBER: values.number,
    Kind.BOOLEAN: values.boolean,
    Kind.CUSTOM: values.text,
}

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Field:
    """One thing that can be asked of a lead.

    Args:
        name: the word in trees and addresses; letters, digits and underscores.
        label: how people call it.
        kind: how values are read.
        q: ``(op, typed value, now) -> Q`` over Lead.
        choices: ``() -> [(code, label)]`` for ``Kind.CHOICE``; called anew for each use.
        is_open: whether codes that are not among ``choices`` (today) may be asked for too.
        ops: which comparisons make sense; by default those of the kind.
        group: the heading in the filter menu.
        known: ``now -> Q`` true when the lead has a value; None when the answer is always known.
        read: for ``Kind.CUSTOM``: ``(raw text) -> typed value``, raising ``ValueInvalid``.
        words: for ``Kind.CUSTOM``: ``(typed value) -> words``.
        hint: an example of the value, shown in the editor.
        q_of_all: what ``q`` does, where it is asked of all leads at once and another plan is
            better; None where there is none.
        control: for ``Kind.CUSTOM``: template of the editor's inputs; it gets ``editor``, and joins
            several inputs named ``value`` with colons.
    """

    name: str
    label: str
    kind: Kind
    q: Callable[[Op, Any, datetime], Q]
    choices: Callable[[], Choices] | None = None
    is_open: bool = False
    ops: tuple[Op, ...] = ()
    group: str = "Lead"
    order: int = 100
    known: Callable[[datetime], Q] | None = None
    read: Callable[[str], Any] | None = None
    words: Callable[[Any], str] | None = None
    hint: str = ""
    control: str = ""
    q_of_all: Callable[[Op, Any, datetime], Q] | None = None

    @property
    def allowed_ops(self) -> tuple[Op, ...]:
        """Return the comparisons this field offers."""
        return self.ops or OPS_OF_KIND[self.kind]

    def read_value(self, op: Op, raw: Any) -> Any:
        """Return the typed value of a leaf.

        Raises:
            ValueInvalid: when ``raw`` does not fit the kind and the comparison.
        """
        if op in BARE_OPS:
            return None
        if self.kind is Kind.DATE:
            return _read_date(op, raw)
        if self.kind is Kind.CHOICE:
            offered = self.choices() if self.choices and not self.is_open else ()
            return values.choices(raw, None if self.is_open else [code for code, _ in offered])
        if self.kind is Kind.CUSTOM and self.read:
            return self.read(values.text(raw))
        return _READERS[self.kind](raw)

    def value_words(self, op: Op, raw: Any) -> str:
        """Return the value of a leaf as people say it."""
        if op in BARE_OPS:
            return ""
        if self.kind is Kind.CHOICE and self.choices:
            labels = dict(self.choices())
            return " or ".join(
                labels.get(code, code) for code in ([raw] if isinstance(raw, str) else raw)
            )
        if self.kind is Kind.CUSTOM and self.words:
            return self.words(self.read_value(op, raw))
        if self.kind is Kind.DATE:
            return SINCE_WORDS.get(raw, raw) if op is Op.SINCE else values.period_words(str(raw))
        if self.kind is Kind.BOOLEAN:
            return "yes" if values.boolean(raw) else "no"
        return str(raw)


class FieldRegistry(Registry[Field]):
    """The registered fields, and families of fields that people declare while Baton runs."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__("criteria field")
        self._families: dict[str, Callable[[], Iterable[Field]]] = {}
        self._kept: ContextVar[dict[str, list[Field]] | None] = ContextVar("kept", default=None)

    def register_family(self, prefix: str, load: Callable[[], Iterable[Field]]) -> None:
        """Add the fields that ``load()`` returns at each use; their names begin with ``prefix``."""
        self._families[prefix] = load

    @contextmanager
    def loaded_once(self) -> Iterator[None]:
        """Load each family once within the block, for a page that reads many trees."""
        token = self._kept.set({})
        try:
            yield
        finally:
            self._kept.reset(token)

    def _family(self, prefix: str) -> Iterable[Field]:
        kept = self._kept.get()
        if kept is None:
            return self._families[prefix]()
        if prefix not in kept:
            kept[prefix] = list(self._families[prefix]())
        return kept[prefix]

    def get(self, name: str) -> Field | None:
        """Return the field of that name, or None."""
        for prefix in self._families:
            if name.startswith(prefix):
                return next((field for field in self._family(prefix) if field.name == name), None)
        return super().get(name)

    def __iter__(self) -> Iterator[Field]:
        """Go through the registered fields by order, then through those of the families."""
        yield from super().__iter__()
        for prefix in self._families:
            yield from self._family(prefix)


fields = FieldRegistry()


def _read_date(op: Op, raw: Any) -> Any:
    """Return a span, a named start or an instant, by comparison."""
    if op in (Op.WITHIN, Op.NOT_WITHIN, Op.COMING):
        return values.period(raw)
    if op is Op.SINCE:
        if raw not in SINCE_WORDS:
            raise ValueInvalid("needs today, week or month")
        return raw
    return values.moment(raw)


def column_field(name: str, label: str, kind: Kind, *, path: str, **options: Any) -> Field:
    """Return a field over a column of Lead or of a table it joins, named by the lookup ``path``.

    An empty text and a null both mean that the value is not known; comparisons with an unknown
    value are never true, so ``is not DE`` does not find leads of unknown country.
    """
    filled = ~Q(**{path: ""}) & Q(**{f"{path}__isnull": False}) if kind in (
        Kind.TEXT, Kind.CHOICE
    ) else Q(**{f"{path}__isnull": False})  # fmt: skip

    def ask(op: Op, value: Any, now: datetime) -> Q:
        return _column_q(path, filled, op, value, now)

    return Field(name, label, kind, q=ask, known=lambda _: filled, **options)


def _column_q(path: str, filled: Q, op: Op, value: Any, now: datetime) -> Q:
    """Return one comparison of a column."""
    lookups: dict[Op, Callable[[], Q]] = {
        Op.IS: lambda: Q(**{f"{path}__iexact" if isinstance(value, str) else path: value}),
        Op.IS_NOT: lambda: filled & ~Q(**{f"{path}__iexact": value}),
        Op.IN: lambda: Q(**{f"{path}__in": value}),
        Op.NOT_IN: lambda: filled & ~Q(**{f"{path}__in": value}),
        Op.CONTAINS: lambda: Q(**{f"{path}__icontains": value}),
        Op.STARTS_WITH: lambda: Q(**{f"{path}__istartswith": value}),
        Op.AT_LEAST: lambda: Q(**{f"{path}__gte": value}),
        Op.AT_MOST: lambda: Q(**{f"{path}__lte": value}),
        Op.BEFORE: lambda: Q(**{f"{path}__lt": value}),
        Op.AFTER: lambda: Q(**{f"{path}__gte": value}),
        Op.WITHIN: lambda: Q(**{f"{path}__gte": now - value, f"{path}__lte": now}),
        Op.NOT_WITHIN: lambda: Q(**{f"{path}__lt": now - value}),
        Op.COMING: lambda: Q(**{f"{path}__gte": now, f"{path}__lte": now + value}),
        Op.SINCE: lambda: Q(**{f"{path}__gte": values.start_of(value, now)}),
        Op.IS_SET: lambda: filled,
        Op.IS_EMPTY: lambda: ~filled,
    }
    return lookups[op]()
