"""How well leads match the personas: rules over attributes, evaluated in SQL.

The rules of a model are compiled once to columns of 1 (fits), 0 (does not) or null (not known):
``r0`` onwards for the rules of all personas, ``b0`` for blocking conditions, ``x0`` for
disqualifiers. Points follow from them; what is not known counts nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from django.db.models import Case, Expression, SmallIntegerField, Value, When
from django.db.models.functions import Cast
from psycopg.sql import SQL, Composable, Composed

from crm.common.criteria import Criteria, leaves
from leads.models import Lead
from scoring.certainty import certainly_not_q, certainly_q
from scoring.definition import SCALE, Condition, Definition, FitRule, Persona
from scoring.sql import FENCE, Tables, column, commas, of_queryset, rendered

#: After all that is known: for criteria that do not look at the time.
NO_TIME = datetime(9000, 1, 1, tzinfo=UTC)
_QUOTED = re.compile(r'"(\w+)"')
_OF_STAGE = "Lifecycle"


def of_leads(lead_ids: Sequence[int]) -> Composed:
    """Choose some leads."""
    return SQL("id = ANY({}::bigint[])").format(list(lead_ids))


def of_range(first: int, last: int) -> Composed:
    """Choose all leads whose id is within a range, both ends included."""
    return SQL("id BETWEEN {} AND {}").format(first, last)


def fit_tables(
    definition: Definition, chosen: Composable, *, now: datetime, is_past: bool = False
) -> Tables:
    """Return the tables that end in ``fit``, one row per lead that is ``chosen``.

    Its columns: ``lead_id``, ``fit`` in tenths (null: not evaluated), ``persona``, ``blocked_by``,
    ``disqualified_by``. Relative dates in criteria count from ``now``; what ``is_past`` is asked
    for as it was then, as far as criteria know by themselves: consents, deals, acts.
    """
    asked_at = now if definition.moves_with_time or is_past else None
    return [
        ("outcome", SQL("{} WHERE {}").format(_kept_outcomes(definition, asked_at), chosen)),
        ("fit", _kept_fit(definition)),
    ]


@lru_cache(maxsize=16)
def _kept_outcomes(definition: Definition, now: datetime | None) -> SQL:
    """The outcomes of all leads; what only relative dates would need is not given otherwise."""
    return rendered(SQL("SELECT * FROM ({}) AS every_lead").format(_outcomes(definition, now)))


@lru_cache(maxsize=16)
def _kept_fit(definition: Definition) -> SQL:
    return rendered(_fit(definition))


@lru_cache(maxsize=16)
def names_read(definition: Definition) -> frozenset[str]:
    """Return the names of the tables and columns that criteria look at, and maybe of some more."""
    return frozenset(_QUOTED.findall(_kept_outcomes(definition, None).as_string()))


def fits_alike(one: Definition, other: Definition) -> bool:
    """Say whether two models judge fit, blocks and disqualifiers by the same rules."""
    same = _kept_fit(one).as_string() == _kept_fit(other).as_string()
    outcomes = [_kept_outcomes(each, None).as_string() for each in (one, other)]
    return same and outcomes[0] == outcomes[1]


def asks_for_stage(definition: Definition) -> bool:
    """Say whether criteria ask for the stage of a lead, or for what follows from it."""
    criteria = _named_criteria(definition).values()
    return any(leaf.field.group == _OF_STAGE for each in criteria for leaf in leaves(each))


def numbered_rules(definition: Definition) -> Iterator[tuple[Persona, list[tuple[int, FitRule]]]]:
    """Go through the personas with their rules and the rules' numbers."""
    start = 0
    for persona in definition.personas:
        yield persona, list(enumerate(persona.rules, start))
        start += len(persona.rules)


def _outcomes(definition: Definition, now: datetime | None) -> Composed:
    asked = _named_criteria(definition)
    columns = {name: _outcome(criteria, now or NO_TIME) for name, criteria in asked.items()}
    return of_queryset(Lead.objects.annotate(**columns).order_by().values_list("id", *columns))


def _named_criteria(definition: Definition) -> dict[str, Criteria]:
    """All criteria of a model by the name of their column."""
    named: dict[str, Criteria] = {}
    for _, rules in numbered_rules(definition):
        named |= {f"r{i}": rule.criteria for i, rule in rules}
    named |= {f"b{i}": each.criteria for i, each in enumerate(definition.blocking)}
    named |= {f"x{i}": each.criteria for i, each in enumerate(definition.disqualifiers)}
    return named


def _outcome(criteria: Criteria, now: datetime) -> Expression:
    """1, 0 or null: whether the lead fits, as far as that is known."""
    return Case(
        When(certainly_q(criteria, now=now), then=Value(1)),
        When(certainly_not_q(criteria, now=now), then=Value(0)),
        default=Cast(Value(None), SmallIntegerField()),  # typed, as it may be all there is
        output_field=SmallIntegerField(null=True),
    )


def _fit(definition: Definition) -> Composed:
    personas = [
        SQL("{} AS {}").format(_persona_fit(definition, rules), column("f", place))
        for place, (_, rules) in enumerate(numbered_rules(definition))
    ]
    fits = [column("f", place) for place in range(len(personas))]
    best = SQL("greatest({})").format(commas(fits)) if fits else SQL("NULL::int")
    names = [
        SQL("WHEN {} THEN {}").format(fit, persona.name)
        for fit, persona in zip(fits, definition.personas, strict=True)
    ]
    persona = (
        SQL("CASE {} {} ELSE '' END").format(best, SQL(" ").join(names)) if names else SQL("''")
    )
    return SQL(
        "SELECT lead_id, {best} AS fit, {persona} AS persona, blocked_by, disqualified_by FROM ("
        "SELECT {columns} FROM outcome {fence}) AS judged {fence}"
    ).format(
        fence=FENCE,
        best=best,
        persona=persona,
        columns=commas(
            [
                SQL("id AS lead_id"),
                *personas,
                SQL("{} AS blocked_by").format(_first("b", definition.blocking)),
                SQL("{} AS disqualified_by").format(_first("x", definition.disqualifiers)),
            ]
        ),
    )


def _persona_fit(definition: Definition, rules: Sequence[tuple[int, FitRule]]) -> Composed:
    """The fit with one persona; null while nothing that it asks for is known."""
    points = [SQL("coalesce({}, 0) * {}").format(column("r", i), rule.points) for i, rule in rules]
    known = commas(column("r", i) for i, _ in rules)
    return SQL(
        "CASE WHEN coalesce({known}) IS NOT NULL"
        " THEN least(greatest({base} + {points}, 0), {most})::int END"
    ).format(known=known, base=definition.fit_base, points=SQL(" + ").join(points), most=SCALE)


def _first(letter: str, conditions: Sequence[Condition]) -> Composable:
    """The label of the first condition that holds, else nothing."""
    if not conditions:
        return SQL("''")
    holds = [
        SQL("WHEN {} = 1 THEN {}").format(column(letter, i), condition.label)
        for i, condition in enumerate(conditions)
    ]
    return SQL("CASE {} ELSE '' END").format(SQL(" ").join(holds))
