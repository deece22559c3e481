"""Queries that are planned once a connection.

Planning a query over the partitions of the log takes ten times as long as reading from it what one
lead did (measured with eleven partitions), and ever longer as months go by. Small queries of the
ORM that a page asks by the dozen cost three times as much to compose as to answer: such a one is a
``PreparedQuery``, composed once a process.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.query import get_related_populators
from psycopg.pq import Format
from psycopg.rows import dict_row, tuple_row
from psycopg.sql import SQL, Literal

from crm.accounts.models import User
from crm.common.instants import LAST_YEAR

M = TypeVar("M", bound=models.Model)

#: After all that can have happened: the end of the years that are taken from outside.
FAR = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)


class Parameter(models.Expression):
    """A value that a query of the ORM is given each time it is asked."""

    def __init__(self, place: int) -> None:
        """``place`` counts from 0."""
        super().__init__(output_field=models.Field())
        self.place = place

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """Stand for the value: ``PreparedQuery`` finds this object among those to bind."""
        return "%s", (self,)


@models.ForeignObject.register_lookup
@models.Field.register_lookup
class Among(models.Lookup):
    """``lead__among=parameter``: one of the values of a list that is given as a whole.

    The SQL stays the same however many there are, which that of ``in`` does not.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Compare with the whole list."""
        left, bound = self.process_lhs(compiler, connection)
        right, values = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right})", [*bound, *values]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A query set as composed: its SQL, what to bind in order, and how columns become values.

    What is the same each time stands in the SQL, so that the database plans for it: by a constant
    it finds partial indexes, by a value bound later it does not.
    """

    queryset: Any
    compiler: Any
    text: str
    bound: Sequence[Parameter]
    converters: Mapping[int, Any]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the rows of a query set become models."""

    columns: slice
    names: Sequence[str]
    populators: Sequence[Any]


class PreparedQuery(Generic[M]):
    """A query of the ORM, asked with other values each time.

    It is composed once a process and planned once a connection, so ``compose`` may look at nothing
    but its parameters. Models come as from the query set, with what it joins; it must not
    prefetch, nor be sliced for ``newest``. ``rows`` is for a query set of ``values_list``.
    """

    def __init__(
        self, compose: Callable[..., models.QuerySet[M, Any]], *, count: int | None = None
    ) -> None:
        """``compose`` makes the query set out of ``count`` parameters, one for each argument."""
        self._compose = compose
        self._count = len(inspect.signature(compose).parameters) if count is None else count

    def ask(self, *values: Any) -> list[M]:
        """Return the models for ``values``, in the order of the arguments of ``compose``."""
        return self._models(self._plan.text, values)

    def newest(self, lead_id: int, before: datetime | None, limit: int) -> list[M]:
        """Return the newest rows of a lead, and all others of the last one's instant.

        For a query of a lead and a moment, ordered by the time alone: what a ``TimelineSource``
        loads. Rows of one instant come with the latest first.
        """
        plan = self._plan
        text = f"{plan.text} FETCH FIRST ${len(plan.bound) + 1} ROWS WITH TIES"
        found = self._models(text, [lead_id, before or FAR], limit)
        [moment] = (str(term).removeprefix("-") for term in plan.queryset.query.order_by)
        found.sort(key=lambda each: (getattr(each, moment), each.pk), reverse=True)
        return found

    def rows(self, *values: Any) -> list[Sequence[Any]]:
        """Return the columns of each row, for a query set of ``values_list``."""
        return self._found(self._plan.text, values)

    def _models(self, text: str, values: Sequence[Any], *more: Any) -> list[M]:
        return [self._model(row) for row in self._found(text, values, *more)]

    def _found(self, text: str, values: Sequence[Any], *more: Any) -> list[Sequence[Any]]:
        plan = self._plan
        bound = [values[each.place] for each in plan.bound]
        rows = _fetch(text, [*bound, *more], Format.TEXT, tuple_row)
        return list(plan.compiler.apply_converters(rows, plan.converters))

    def _model(self, row: Sequence[Any]) -> M:
        plan, shape = self._plan, self._shape
        model = plan.queryset.model.from_db(DEFAULT_DB_ALIAS, shape.names, row[shape.columns])
        for populator in shape.populators:
            populator.populate(row, model)
        for name, place in plan.compiler.annotation_col_map.items():
            setattr(model, name, row[place])
        return model  # type: ignore[no-any-return]  # of the query set's type

    @cached_property
    def _plan(self) -> _Plan:
        queryset = self.composed
        compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        text, bound = _bind(*compiler.as_sql())
        columns = [expression for expression, *_ in compiler.select]
        return _Plan(queryset, compiler, text, bound, compiler.get_converters(columns))

    @cached_property
    def composed(self) -> models.QuerySet[M, Any]:
        """Return the query set, with parameters in place of values."""
        return self._compose(*map(Parameter, range(self._count)))

    @cached_property
    def _shape(self) -> _Shape:
        compiler = self._plan.compiler
        places = compiler.klass_info["select_fields"]
        columns = slice(places[0], places[-1] + 1)
        populators: Any = get_related_populators  # the stubs tell of a later version
        return _Shape(
            columns=columns,
            names=[column.target.attname for column, *_ in compiler.select[columns]],
            populators=populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS),
        )


def that_have_rows(
    queries: tuple[PreparedQuery[Any], ...], *values: Any
) -> set[PreparedQuery[Any]]:
    """Return those of ``queries`` that have rows for ``values``, by one question for all.

    A query with fewer parameters is given the first of the values.
    """
    if not queries:
        return set()
    text, bound = _question(queries)
    [answers] = _fetch(text, [values[each.place] for each in bound], Format.TEXT, tuple_row)
    return {query for query, is_there in zip(queries, answers, strict=True) if is_there}


@cache
def _question(queries: tuple[PreparedQuery[Any], ...]) -> tuple[str, list[Parameter]]:
    asked = [query.composed.query.get_compiler(DEFAULT_DB_ALIAS).as_sql() for query in queries]
    terms = ", ".join(f"EXISTS ({text})" for text, _ in asked)
    return _bind(f"SELECT {terms}", [value for _, values in asked for value in values])


def _bind(text: str, values: Sequence[Any]) -> tuple[str, list[Parameter]]:
    """Number the parameters among ``values``, and write the others into the text."""
    bound: list[Parameter] = []
    terms = []
    for value in values:
        if isinstance(value, Parameter):
            bound.append(value)
            terms.append(f"${len(bound)}")
        else:
            terms.append(Literal(value).as_string(None))
    return text % tuple(terms), bound


class QueryOfViewer(Generic[M]):
    """A ``PreparedQuery`` of what somebody may see: one for each set of roles, in a team or not.

    ``compose`` is given a viewer, to ask ``visible_to`` with, before its parameters.
    """

    def __init__(self, compose: Callable[..., models.QuerySet[M, Any]]) -> None:
        self._compose = compose
        self._queries: dict[tuple[tuple[str, ...], bool], PreparedQuery[M]] = {}

    def ask(self, viewer: User, *values: Any) -> list[M]:
        """Return the models that ``viewer`` may see, for ``values``."""
        return self._query_for(viewer).ask(viewer.pk, viewer.sales_team_id, *values)

    def rows(self, viewer: User, *values: Any) -> list[Sequence[Any]]:
        """Return the columns of each row, for a query set of ``values_list``."""
        return self._query_for(viewer).rows(viewer.pk, viewer.sales_team_id, *values)

    def _query_for(self, viewer: User) -> PreparedQuery[M]:
        kind = (tuple(viewer.roles), viewer.sales_team_id is not None)
        if kind not in self._queries:
            self._queries[kind] = self._composed(*kind)
        return self._queries[kind]

    def _composed(self, roles: Sequence[str], is_in_team: bool) -> PreparedQuery[M]:
        def compose(person: Any, team: Any, *parameters: Parameter) -> models.QuerySet[M, Any]:
            viewer = User(pk=person, sales_team_id=team if is_in_team else None, roles=list(roles))
            return self._compose(viewer, *parameters)

        more = len(inspect.signature(self._compose).parameters) - 1
        return PreparedQuery(compose, count=2 + more)


def prepared(query: SQL, parameters: Sequence[Any]) -> list[dict[str, Any]]:
    """Run a query with ``$1`` and so on; return its rows by column, told in binary.

    Moments and arrays are read much faster so. What Django keeps as text, JSON, comes as objects.

    Args:
        query: The same text each time: the plan is found by it.
        parameters: What stands for ``$1`` and so on.
    """
    return _fetch(query.as_string(None), parameters, Format.BINARY, dict_row)


def _fetch(query: str, parameters: Sequence[Any], told_in: Format, rows: Any) -> list[Any]:
    lent: Any = connections[DEFAULT_DB_ALIAS]  # looked up once: it is another for each thread
    cursor = lent.preparing_cursor
    cursor.format = told_in
    if cursor.row_factory is not rows:  # to set it anew costs more than to look
        cursor.row_factory = rows
    counted = lent.make_debug_cursor if lent.queries_logged else lent.make_cursor
    asked = counted(cursor)
    asked.execute(query, parameters)
    found: list[Any] = asked.fetchall()
    return found
