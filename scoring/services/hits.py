"""How often the rules of a model were hit lately, so that dead rules show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.core.cache import cache
from django.db import connection, transaction
from psycopg.sql import SQL, Composable, Composed, Identifier

from crm.common.locks import try_hold
from scoring.definition import Definition, EngagementRule, Match, read_definition
from scoring.models import ScoringModel
from scoring.query import period_tables
from scoring.sql import column, commas, rows, with_tables

#: A rule without a hit for so long is dead. Our choice.
LATELY = timedelta(days=90)
#: Counting reads every act of the period; so long a count is good enough. Our choice.
KEPT_FOR = timedelta(minutes=15)
#: One pass with little to compute for each row: a compiler costs more than it saves.
_SETTINGS = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = '5min'"


@dataclass(frozen=True, slots=True)
class Hits:
    """How many acts fit a rule, and how many leads did them (often enough, if it asks for that)."""

    acts: int
    leads: int

    @property
    def is_dead(self) -> bool:
        """Say whether the rule gave points to nobody."""
        return self.leads == 0


def rule_hits(definition: Definition, *, since: datetime, now: datetime) -> dict[str, Hits]:
    """Return the hits of each engagement rule after ``since`` and up to ``now``, by its label.

    Only human acts of known leads count, by the match of the score query. What was counted within
    ``KEPT_FOR`` is kept for each rule by what it matches, so that a change of one rule counts that
    one anew. At a million leads a count takes seconds: pages show ``known_hits`` and have the rest
    counted in the background, by ``scoring.tasks.count_rule_hits``.
    """
    known = known_hits(definition, since=since, now=now)
    missing = [rule for rule in countable(definition) if rule.label not in known]
    if missing:
        found = list(zip(missing, _count(missing, since, now), strict=True))
        kept = {_key(rule, since, now): (hits.acts, hits.leads) for rule, hits in found}
        cache.set_many(kept, timeout=int(KEPT_FOR.total_seconds()))
        known |= {rule.label: hits for rule, hits in found}
    return {rule.label: known[rule.label] for rule in countable(definition)}


def countable(definition: Definition) -> list[EngagementRule]:
    """Return the rules that ask for something: those of a faulty draft may ask for nothing yet."""
    return [rule for rule in definition.rules if rule.match != Match()]


def known_hits(definition: Definition, *, since: datetime, now: datetime) -> dict[str, Hits]:
    """Return the hits that were counted lately, at once; rules that were not are missing."""
    keys = {rule.label: _key(rule, since, now) for rule in countable(definition)}
    kept: Mapping[str, tuple[int, int]] = cache.get_many(keys.values())
    return {label: Hits(*kept[key]) for label, key in keys.items() if key in kept}


@transaction.atomic
def count_rule_hits(*, model_id: int, now: datetime) -> None:
    """Count the hits of a model's rules for the pages that show them, faulty drafts included.

    Many clicks ask for the same count: while one is at work for a model, others leave it alone.
    """
    model = ScoringModel.objects.filter(pk=model_id).first()
    if model and try_hold(f"rule hits of scoring model {model_id}"):
        definition, _ = read_definition(model.definition)
        rule_hits(definition, since=now - LATELY, now=now)


def _key(rule: EngagementRule, since: datetime, now: datetime) -> str:
    """What a count is kept under: what the rule asks for, and the days of the period."""
    asked = repr((rule.match, rule.repeat, since.date(), now.date()))
    return f"rule-hits:{sha256(asked.encode()).hexdigest()}"


@transaction.atomic
def _count(rules: Sequence[EngagementRule], since: datetime, now: datetime) -> list[Hits]:
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
    tables = [*period_tables(rules, since=since, until=now), ("of_lead", _of_lead(rules))]
    keep = ["act"] if any(rule.repeat for rule in rules) else []
    [(acts, leads)] = rows(with_tables(tables, _sums(rules), keep=keep))
    return [Hits(*each) for each in zip(acts, leads, strict=True)]


def _of_lead(rules: Sequence[EngagementRule]) -> Composed:
    counts = (
        SQL("count(*) FILTER (WHERE {}) AS {}").format(column("m", i), column("n", i))
        for i in range(len(rules))
    )
    return SQL("SELECT lead_id, {} FROM act GROUP BY lead_id").format(commas(counts))


def _sums(rules: Sequence[EngagementRule]) -> Composed:
    acts = (SQL("coalesce(sum({}), 0)::bigint").format(column("n", i)) for i in range(len(rules)))
    return SQL("SELECT ARRAY[{}], ARRAY[{}] FROM of_lead").format(
        commas(acts), commas(_leads(i, rule) for i, rule in enumerate(rules))
    )


def _leads(number: int, rule: EngagementRule) -> Composable:
    if rule.repeat:
        return SQL("(SELECT count(*) FROM {})").format(Identifier(f"repeat{number}"))
    return SQL("count(*) FILTER (WHERE {} > 0)").format(column("n", number))
