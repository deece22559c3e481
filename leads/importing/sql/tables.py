"""Temporary tables of one chunk, and the arrays in which refusals are composed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection
from psycopg.sql import SQL, Composable, Identifier, Literal

from leads.enums import RowResult
from leads.importing.results import Result

_CREATE = SQL("DROP TABLE IF EXISTS {name}; CREATE TEMP TABLE {name} ON COMMIT DROP AS {query}")
_NO_FAULT = SQL("NULL::text[]")


def fetch(query: str | Composable, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """Return the rows of ``query``."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def create_table(name: str, query: Composable) -> None:
    """Keep the rows of ``query`` until the transaction ends; an older table of the name goes."""
    with connection.cursor() as cursor:
        cursor.execute(_CREATE.format(name=Identifier(name), query=query))


def fault(*parts: str | Composable) -> Composable:
    """Return a refusal: what we say, what the file says, in turns; the latter is quoted.

    The file's texts are quoted in Python (``sentence``), whose quotes people know from all the
    other refusals.
    """
    said = [each if isinstance(each, Composable) else Literal(each) for each in parts]
    return SQL("ARRAY[{}]::text[]").format(SQL(", ").join(said))


def first_fault(faults: Sequence[tuple[Composable, Composable]]) -> Composable:
    """Return the fault of the first condition that holds, from (condition, fault)."""
    if not faults:
        return _NO_FAULT
    cases = [SQL("WHEN {} THEN {}").format(*each) for each in faults]
    return SQL("CASE {} END").format(SQL(" ").join(cases))


def sentence(parts: Sequence[str]) -> str:
    """Return a refusal as people read it."""
    return "".join(repr(part) if at % 2 else part for at, part in enumerate(parts))


def refusals(table: str) -> list[Result]:
    """Return the result of each line in ``table`` that has a fault."""
    query = SQL("SELECT id, fault FROM {} WHERE fault IS NOT NULL").format(Identifier(table))
    return [Result(pk, RowResult.REFUSED, sentence(parts)) for pk, parts in fetch(query)]


def any_of(text: Composable, words: Sequence[str] | frozenset[str]) -> Composable:
    """Return the condition that ``text`` is one of ``words``."""
    return SQL("{} = ANY({}::text[])").format(text, Literal(sorted(words)))
