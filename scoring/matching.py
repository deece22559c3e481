"""Which acts fit a rule of engagement, in SQL over an event ``e`` of the log."""

from __future__ import annotations

import json
from collections.abc import Sequence

from psycopg.sql import SQL, Composed, Literal

from scoring.definition import EngagementRule, Match, PropertyTest
from scoring.sql import column, commas

NumberedRule = tuple[int, EngagementRule]


def matches(rules: Sequence[NumberedRule]) -> Composed:
    """Return whether an event ``e`` fits each rule, as ``m0`` and so on."""
    return commas(SQL("{} AS {}").format(_match(rule.match), column("m", i)) for i, rule in rules)


def of_use(rules: Sequence[NumberedRule]) -> Composed:
    """Return whether an event ``e`` fits any rule: most of a log is read no further than this."""
    asked = dict.fromkeys(rule.match for _, rule in rules)
    return SQL("({})").format(SQL(" OR ").join(map(_match, asked)))


def _match(match: Match) -> Composed:
    """Whether an event fits; an asset nobody knows fits no event."""
    conditions = [
        ("e.kind = {}", match.kind and match.kind.value),
        ("e.asset_id = (SELECT id FROM engagement_asset WHERE slug = {})", match.asset),
        ("e.funnel_stage = {}", match.funnel_stage and match.funnel_stage.value),
        ("e.name = {}", match.name),
    ]
    named = [SQL(text).format(value) for text, value in conditions if value]
    tested = [_tests(match.property)] if match.property else []
    return SQL(" AND ").join([*named, *tested])


def _tests(test: PropertyTest) -> Composed:
    """Whether a property of an event is as asked; only numbers are at least a number."""
    if not test.is_least:
        return SQL("e.properties @> {}::jsonb").format(json.dumps({test.name: test.value}))
    return SQL(
        "CASE WHEN jsonb_typeof(e.properties -> {name}) = 'number'"
        " THEN (e.properties -> {name})::numeric >= {least} ELSE false END"
    ).format(name=test.name, least=Literal(test.value))
