"""Which rules of a model applied to each case at its moment, by the score query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from psycopg.sql import SQL, Composable, Composed

from crm.common.criteria import Criteria, leaves
from leads.fields import ATTRIBUTE_PREFIX
from leads.services.facts import FACT_FIELDS
from scoring.certainty import moves_with_time
from scoring.definition import Definition
from scoring.fit import fit_tables, numbered_rules
from scoring.quality.population import asked_in, then_known
from scoring.query import engagement_tables
from scoring.sql import Tables, column, commas, with_tables

#: Criteria over what the fact log keeps: they can be asked as of any time.
_LOGGED = frozenset({*FACT_FIELDS, "company", "has_email", "email_domain", "free_mailbox"})

#: What each case needs is found once for all of them.
KEEP = ("engagement_event", "asked", "act", "leads_lead", "outcome")


@dataclass(frozen=True, slots=True)
class LineKey:
    """A rule of a model by its number among the lines: acts first, then the fit of all personas.

    ``points`` are tenths. ``place`` is the rule's place within its kind. ``is_of_today`` says that
    what the rule asks for is known as of today only.
    """

    number: int
    is_fit: bool
    place: int
    label: str
    group: str
    points: int
    is_of_today: bool = False


def line_keys(definition: Definition) -> list[LineKey]:
    """Return the lines of a model in the order of their numbers."""
    rules = definition.rules
    acts = [
        LineKey(i, False, i, rules[i].label, group.name, rules[i].points)
        for group, numbers in definition.numbered_groups()
        for i in numbers
    ]
    fits = [
        LineKey(
            number=len(acts) + i,
            is_fit=True,
            place=i,
            label=rule.label,
            group=persona.name,
            points=rule.points,
            is_of_today=_is_of_today(rule.criteria),
        )
        for persona, numbered in numbered_rules(definition)
        for i, rule in numbered
    ]
    return [*acts, *fits]


def _is_of_today(criteria: Criteria) -> bool:
    names = {leaf.field.name for leaf in leaves(criteria)}
    unlogged = {name for name in names - _LOGGED if not name.startswith(ATTRIBUTE_PREFIX)}
    return bool(unlogged) or moves_with_time(criteria)


def hits_by_cycle(
    definition: Definition, *, cycles: int, now: datetime, chosen: Composable
) -> Iterator[Composed]:
    """Yield queries that find, for the cases of one cycle each, which lines applied to them.

    Their columns: those of ``quality_asked``, ``hits`` and ``misses``, the numbers of lines of
    which that is known, and ``carried``, those that gave the lead points. ``chosen`` is a further
    condition on ``quality_asked``. Relative dates in criteria count from ``now``.
    """
    for cycle in range(1, cycles + 1):
        asked = SQL("{} AND {}").format(asked_in(cycle), chosen)
        tables = _tables(definition, asked, cycle, now)
        body = SQL(
            "SELECT quality_asked.*, {columns} FROM quality_asked"
            " JOIN engagement USING (lead_id, as_of) JOIN outcome ON outcome.id = lead_id"
            " JOIN fit USING (lead_id) WHERE cycle = {cycle}"
        ).format(columns=commas(_columns(definition)), cycle=cycle)
        yield with_tables(tables, body, keep=KEEP)


def _tables(definition: Definition, asked: Composable, cycle: int, now: datetime) -> Tables:
    """The engagement and the fit; what stands in the tables comes before those that hide it."""
    events, leads = then_known(cycle)
    return [
        events,
        *engagement_tables(definition, asked, evidence=True),
        leads,
        *fit_tables(definition, SQL("true"), now=now),
    ]


def _columns(definition: Definition) -> list[Composed]:
    keys = line_keys(definition)
    holds = {
        "hits": [(key, SQL("> 0") if not key.is_fit else SQL("= 1")) for key in keys],
        "misses": [(key, SQL("= 0")) for key in keys],
    }
    columns = [
        _array([SQL("CASE WHEN {} {} THEN {} END").format(_found(key), test, key.number)
                for key, test in tests], name)
        for name, tests in holds.items()
    ]  # fmt: skip
    carried = [
        SQL("CASE WHEN {} > 0{} THEN {} END").format(_found(key), _of_persona(key), key.number)
        for key in keys
        if key.points > 0
    ]
    return [*columns, _array(carried, "carried")]


def _array(parts: list[Composed], name: str) -> Composed:
    return SQL("array_remove(ARRAY[{}]::smallint[], NULL) AS {}").format(commas(parts), SQL(name))


def _found(key: LineKey) -> Composable:
    """How often an act gave points, or 1, 0 or null for a rule of fit."""
    return column("r", key.place) if key.is_fit else SQL("counts[{}]").format(key.place + 1)


def _of_persona(key: LineKey) -> Composable:
    """A rule of fit gives points to a lead of its persona only."""
    return SQL(" AND persona = {}").format(key.group) if key.is_fit else SQL("")
