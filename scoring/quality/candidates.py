"""What cases have in common that no rule looks at: acts before the moment, attributes known then.

Nothing that leaks the outcome is looked at: no act after the moment or received later, no value
recorded later, no attribute that sales fills in. Each candidate is the beginning of a rule, so that
what is measured is what the rule would do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Literal

from leads.enums import AttributeType
from leads.fields import ATTRIBUTE_PREFIX
from leads.models import LeadAttribute
from scoring.quality.population import asked_in, then_known
from scoring.query import known_acts
from scoring.sql import Tables, rows, with_tables

#: Fewer on either side tell nothing that a person would act on. Our choice.
FEWEST = 20
#: Longer values are addresses, ids and texts, which no two leads share.
_LONGEST = 80

_COUNTS = SQL(
    "count(*) AS cases, count(*) FILTER (WHERE is_sql) AS sqls,"
    " count(*) FILTER (WHERE is_closed) AS closed, count(*) FILTER (WHERE is_won) AS won"
)
_OF_ENOUGH = SQL(
    "SELECT what, value, sum(cases)::bigint, sum(sqls)::bigint, sum(closed)::bigint,"
    " sum(won)::bigint FROM ({each}) AS told (what, value, cases, sqls, closed, won)"
    " GROUP BY what, value HAVING sum(cases) >= {fewest}"
)
#: From the general to the particular: of two that say the same, the first is kept.
_ACTS = (
    SQL("(1, jsonb_build_object('kind', act.kind), true)"),
    SQL("(2, jsonb_build_object('kind', act.kind, 'funnel_stage', act.funnel_stage),"
        " act.funnel_stage <> '')"),
    SQL("(3, jsonb_build_object('kind', act.kind, 'asset', asset.slug), asset.slug IS NOT NULL)"),
    SQL("(4, jsonb_build_object('kind', act.kind, 'name', act.name),"
        " length(act.name) BETWEEN 1 AND {longest})"),
)  # fmt: skip
_FEATURES_OF_ACTS = SQL(
    "SELECT DISTINCT act.lead_id, act.as_of, feature.rank, feature.match FROM ({acts}) AS act"
    " LEFT JOIN engagement_asset asset ON asset.id = act.asset_id"
    " CROSS JOIN LATERAL (VALUES {features}) AS feature (rank, match, is_told)"
    " WHERE feature.is_told"
    " UNION SELECT act.lead_id, act.as_of, 5, jsonb_build_object('kind', act.kind, 'property',"
    " jsonb_build_object('name', said.key, 'equals', said.value))"
    " FROM ({acts}) AS act CROSS JOIN LATERAL jsonb_each(act.properties) AS said"
    " WHERE jsonb_typeof(said.value) IN ('string', 'boolean', 'number')"
    " AND length(said.value::text) <= {longest} AND length(said.key) <= {longest}"
    " AND said.value NOT IN ('\"\"', 'null')"
)
_COUNT_ACTS = SQL(
    "SELECT rank, match::text, {counts} FROM ({features}) AS feature"
    " JOIN quality_asked USING (lead_id, as_of) GROUP BY rank, match"
)

_WORDS = SQL(
    "SELECT word FROM counted, regexp_split_to_table(value, '[^[:alnum:]]+') AS word"
    " WHERE field = 'title' AND length(word) BETWEEN 3 AND 30 GROUP BY word HAVING sum(cases) >= 3"
)
_VALUES = SQL(
    "SELECT * FROM counted WHERE field <> 'title' UNION ALL"
    " SELECT 'title', word, sum(cases), sum(sqls), sum(closed), sum(won) FROM counted"
    " JOIN word ON strpos(value, word) > 0 WHERE field = 'title' GROUP BY word"
)

#: Columns of a lead as criteria ask for them; each value is a candidate.
_CHOICES = ("country", "source")
_TEXTS = ("medium", "campaign", "region", "city")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases there are, and how many of them became SQL, were closed and won."""

    cases: int
    sqls: int
    closed: int
    won: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feature of leads with the counts of those who have it and of those who do not.

    ``match`` is what an engagement rule would match, else ``criteria`` is what a rule of fit would
    ask. ``rank`` grows from the general to the particular.
    """

    rank: int
    having: Counts
    lacking: Counts
    match: Mapping[str, Any] | None = None
    criteria: Mapping[str, Any] | None = None


def acts_in_common(whole: Counts, cycles: int) -> Iterator[Candidate]:
    """Yield what enough cases did before their moment, and enough did not."""
    for rank, match, *counts in _of_enough(_acts, cycles):
        having = Counts(*counts)
        lacking = _less(whole, having)
        if lacking.cases >= FEWEST:
            yield Candidate(rank, having, lacking, match=json.loads(match))


def _of_enough(told: Callable[[int], Composable], cycles: int) -> list[tuple[Any, ...]]:
    """Return what is told of enough cases of all cycles together.

    Most that is told is told of one case only: it stays in the database.
    """
    each = SQL(" UNION ALL ").join(SQL("({})").format(told(x)) for x in range(1, cycles + 1))
    return rows(_OF_ENOUGH.format(each=each, fewest=FEWEST)) if cycles else []


def _acts(cycle: int) -> Composed:
    longest = Literal(_LONGEST)
    features = _FEATURES_OF_ACTS.format(
        acts=known_acts(asked_in(cycle)),
        longest=longest,
        features=SQL(", ").join(each.format(longest=longest) for each in _ACTS),
    )
    body = _COUNT_ACTS.format(counts=_COUNTS, features=features)
    return with_tables(then_known(cycle)[:1], body, keep=("engagement_event",))


def attributes_in_common(cycles: int) -> Iterator[Candidate]:
    """Yield what was known of enough cases at their moment, and otherwise of enough.

    Who has no value at all stands on neither side: unknown is neutral.
    """
    known = {field: Counts(*counts) for field, _, *counts in _of_enough(_known, cycles)}
    types = {each.name: each.type for each in LeadAttribute.objects.all()}
    for field, value, *counts in sorted(_of_enough(_values, cycles)):
        having = Counts(*counts)
        lacking = _less(known[field], having)
        if lacking.cases >= FEWEST:
            yield Candidate(0, having, lacking, criteria=_criteria(field, value, types))


def _criteria(field: str, value: str, types: Mapping[str, str]) -> dict[str, Any]:
    """Return the leaf that asks for a value, in the criteria language."""
    type_ = types.get(field.removeprefix(ATTRIBUTE_PREFIX))
    if field == "title":
        return {"field": field, "op": "contains", "value": value}
    if type_ == AttributeType.BOOLEAN:
        return {"field": field, "op": "is", "value": value == "true"}
    if field in _CHOICES or type_ == AttributeType.CHOICE:
        return {"field": field, "op": "in", "value": [value]}
    return {"field": field, "op": "is", "value": value}


def _values(cycle: int) -> Composed:
    """Counts by field and value; a word of titles counts wherever a title holds it.

    Titles are counted before their words are looked for: leads share them.
    """
    counted = SQL(
        "SELECT field, value, {counts} FROM told JOIN quality_asked USING (lead_id)"
        " WHERE cycle = {cycle} GROUP BY 1, 2"
    ).format(counts=_COUNTS, cycle=cycle)
    tables = [("counted", counted), ("word", _WORDS)]
    return _with_told(cycle, _VALUES, tables)


def _known(cycle: int) -> Composed:
    body = SQL(
        "SELECT field, '', {counts} FROM (SELECT DISTINCT lead_id, field FROM told) AS feature"
        " JOIN quality_asked USING (lead_id) WHERE cycle = {cycle} GROUP BY 1"
    ).format(counts=_COUNTS, cycle=cycle)
    return _with_told(cycle, body, [])


def _with_told(cycle: int, body: Composable, more: Tables) -> Composed:
    """Put before ``body`` the table ``told`` of what was known: lead, field, value; and more."""
    columns: list[Composable] = [
        SQL("({}, {})").format(name, SQL(name)) for name in (*_CHOICES, *_TEXTS)
    ]
    columns.append(SQL("('title', lower(title))"))
    attributes = _attribute_names()
    told = SQL(
        "SELECT lead.id AS lead_id, said.field, said.value FROM leads_lead lead"
        " CROSS JOIN LATERAL (SELECT * FROM (VALUES {columns}) AS plain (field, value)"
        " UNION ALL SELECT {prefix} || key, value FROM jsonb_each_text(lead.attributes)"
        " WHERE key = ANY({attributes}::text[])) AS said"
        " WHERE said.value <> '' AND length(said.value) <= {longest}"
    ).format(
        columns=SQL(", ").join(columns),
        prefix=ATTRIBUTE_PREFIX,
        attributes=attributes,
        longest=Literal(_LONGEST),
    )
    tables = [*then_known(cycle)[1:], ("told", told), *more]
    return with_tables(tables, body, keep=("leads_lead", "told", "counted", "word"))


def _attribute_names() -> list[str]:
    """The attributes to ask for value by value; sales fills in none of them."""
    one_by_one = (AttributeType.TEXT, AttributeType.CHOICE, AttributeType.BOOLEAN)
    asked = LeadAttribute.objects.filter(type__in=one_by_one, is_by_sales=False)
    return list(asked.values_list("name", flat=True))


def _less(whole: Counts, part: Counts) -> Counts:
    return Counts(
        whole.cases - part.cases,
        whole.sqls - part.sqls,
        whole.closed - part.closed,
        whole.won - part.won,
    )


def distinct(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates, of those with the same counts on both sides the most general only."""
    kept: dict[tuple[Counts, Counts, bool], Candidate] = {}
    for candidate in sorted(candidates, key=lambda each: each.rank):
        kept.setdefault((candidate.having, candidate.lacking, candidate.match is None), candidate)
    return list(kept.values())
