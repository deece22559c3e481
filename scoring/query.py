"""The score query: one builder for live scores, full re-scores, back-tests and explanations.

Given a model and what is asked (which leads, as of when, knowing what), it returns one row per
lead and instant with the decayed sum of each rule in tenths and the score. The lines follow from
the sums by ``scoring.points``; the SQL here rounds and limits in the same way, and
``scoring.reference`` says the whole rule in plain Python.

One pass over the events: whether an act fits rule 3 is the column ``m3``, its decayed sum ``d3``,
in points ``p3``, as a line ``v3``; group 1 gives ``g1``. With evidence, ``n3`` is how many acts
gave points and ``t3`` when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from psycopg.sql import SQL, Composable, Composed, Identifier

from engagement.enums import Actor
from leads.enums import LifecycleStage
from scoring.definition import (
    SCALE,
    Counting,
    Definition,
    EngagementRule,
    Repeat,
)
from scoring.matching import NumberedRule, matches, of_use
from scoring.points import LEAST_EXPONENT, ROUND, decay_rate
from scoring.sql import FENCE, Tables, column, commas, rendered

_AGGREGATES = {
    # over the acts on one asset, then over the assets
    Counting.EVERY: (SQL("sum"), SQL("sum")),
    Counting.ONCE_PER_ASSET: (SQL("max"), SQL("sum")),
    Counting.FIRST: (SQL("min"), SQL("min")),
}
_COUNTS = {
    Counting.EVERY: SQL("sum({})"),
    Counting.ONCE_PER_ASSET: SQL("count(*) FILTER (WHERE {} > 0)"),
    Counting.FIRST: SQL("least(sum({}), 1)"),
}


#: Tables that are read more than once; to be kept when few leads are asked for.
KEEP = ("asked", "act")


#: Has the events of leads ``$1`` read once, whatever is asked of them: without it each lead at each
#: instant begins a search of its own in every partition.
AT_ONCE = SQL(" AND e.lead_id = ANY($1::bigint[])")

#: Asks for leads ``$1`` as of ``$2`` by what had been received at ``$3``, in prepared queries.
ASK = SQL(
    "SELECT lead_id, $2::timestamptz AS as_of, $3::timestamptz AS known_at"
    " FROM unnest($1::bigint[]) AS lead_id"
)
#: Asks for leads ``$1`` at each of ``$2`` by what had been received at ``$3``, likewise.
ASK_AT = SQL(
    "SELECT lead_id, as_of, $3::timestamptz AS known_at"
    " FROM unnest($1::bigint[]) AS lead_id, unnest($2::timestamptz[]) AS as_of"
)


def ask(lead_ids: Sequence[int], *instants: datetime, known_at: datetime | None = None) -> Composed:
    """Ask for some leads at some instants, by what had been received at ``known_at``.

    Without ``known_at`` only what had been received at each instant is known there.
    """
    return SQL(
        "SELECT lead_id, as_of, coalesce({known_at}::timestamptz, as_of) AS known_at"
        " FROM unnest({lead_ids}::bigint[]) AS lead_id,"
        " unnest({instants}::timestamptz[]) AS as_of"
    ).format(known_at=known_at, lead_ids=list(lead_ids), instants=list(instants))


def ask_each(moments: Mapping[int, datetime]) -> Composed:
    """Ask for each lead at an instant of its own."""
    return ask_pairs(moments.items())


def ask_pairs(pairs: Iterable[tuple[int, datetime]]) -> Composed:
    """Ask for leads, each at any number of instants, by what had been received at each."""
    lead_ids, instants = zip(*pairs, strict=True)
    return SQL(
        "SELECT lead_id, as_of, as_of AS known_at"
        " FROM unnest({}::bigint[], {}::timestamptz[]) AS moment (lead_id, as_of)"
    ).format(list(lead_ids), list(instants))


def ask_range(first: int, last: int, *, as_of: datetime) -> Composed:
    """Ask for all leads whose id is within a range, both ends included."""
    return SQL(
        "SELECT id AS lead_id, {as_of}::timestamptz AS as_of, {as_of}::timestamptz AS known_at"
        " FROM leads_lead WHERE id BETWEEN {first} AND {last}"
    ).format(as_of=as_of, first=first, last=last)


def engagement_tables(
    definition: Definition, asked: Composable, *, evidence: bool = False, at_once: bool = False
) -> Tables:
    """Return the tables that end in ``engagement``.

    Its columns: ``lead_id``, ``as_of``, ``score`` in tenths, ``acts``, how many fit any rule, and
    ``amounts``, the decayed sum of each rule in tenths before its cap. With ``evidence`` also
    ``counts``, how many acts gave points to each rule, and ``moments``, when the latest of them was
    (the only one, if one counts).

    Of many leads at several instants events are read ``at_once``, where ``$1`` holds the leads.
    """
    return [("asked", with_cycle_start(asked)), *_kept_tables(definition, evidence, at_once)]


@lru_cache(maxsize=16)
def _kept_tables(definition: Definition, evidence: bool, at_once: bool) -> Tables:
    return [(name, rendered(table)) for name, table in _tables(definition, evidence, at_once)]


def _tables(definition: Definition, evidence: bool, at_once: bool) -> Tables:
    """The tables after ``asked``, which are the same whatever is asked."""
    rules = list(enumerate(definition.rules))
    singles = [(i, rule) for i, rule in rules if not rule.repeat]
    repeats = [(i, rule, rule.repeat) for i, rule in rules if rule.repeat]
    return [
        ("act", _acts(rules, at_once)),
        ("of_asset", _sums_of_asset(singles, evidence)),
        ("of_lead", _sums_of_lead(singles, evidence)),
        *[(f"repeat{i}", _repeat(i, rule, repeat)) for i, rule, repeat in repeats],
        ("amount", _amounts(rules, evidence)),
        ("line", SQL("SELECT *, {} FROM amount").format(commas(_line(*rule) for rule in rules))),
        ("part", SQL("SELECT *, {} FROM line").format(commas(_parts(definition)))),
        ("engagement", _engagement(definition, evidence)),
    ]


def period_tables(rules: Sequence[EngagementRule], *, since: datetime, until: datetime) -> Tables:
    """Return what all leads did after ``since`` and up to ``until``, as the rules would see it.

    ``act`` has a row for each act that fits a rule, with ``m0`` and so on for which; ``repeat0``
    one for each lead that did often enough what the rule of that number asks for.
    """
    numbered = list(enumerate(rules))
    repeats = [(i, rule, rule.repeat) for i, rule in numbered if rule.repeat]
    return [
        ("act", _acts_of_period(numbered, since, until)),
        *[(f"repeat{i}", _repeat(i, rule, repeat)) for i, rule, repeat in repeats],
    ]


def _acts_of_period(rules: Sequence[NumberedRule], since: datetime, until: datetime) -> Composed:
    """The human acts of all leads in a period: only its partitions are read."""
    return SQL(
        "SELECT e.lead_id, {until}::timestamptz AS as_of, e.id, e.asset_id, e.occurred_at,"
        " {matches} FROM engagement_event e"
        " WHERE e.occurred_at > {since} AND e.occurred_at <= {until}"
        " AND e.lead_id IS NOT NULL AND e.actor = {human} AND {of_use}"
    ).format(
        since=since,
        until=until,
        matches=matches(rules),
        human=Actor.HUMAN.value,
        of_use=of_use(rules),
    )


def first_news(rules: Sequence[EngagementRule]) -> Composed:
    """Return a prepared query for ``lead_id`` and ``at``: what first changed what counts.

    Of leads ``$1`` after ``$2`` and up to ``$3``: an act that fits a rule, or a new cycle.
    """
    return SQL(
        "SELECT lead_id, min(at) AS at FROM (SELECT e.lead_id, e.occurred_at AS at"
        " FROM engagement_event e WHERE e.actor = {human} AND {of_use}{at_once}"
        " AND e.occurred_at > $2 AND e.occurred_at <= $3"
        " UNION ALL SELECT stage.lead_id, stage.started_at FROM leads_stageinterval stage"
        " WHERE stage.lead_id = ANY($1::bigint[]) AND stage.stage = {recycled}"
        " AND stage.started_at > $2 AND stage.started_at <= $3) AS news GROUP BY lead_id"
    ).format(
        human=Actor.HUMAN.value,
        of_use=of_use(list(enumerate(rules))),
        at_once=AT_ONCE,
        recycled=LifecycleStage.RECYCLED.value,
    )


def with_cycle_start(asked: Composable) -> Composed:
    """Return what is asked with ``since``, after which acts count: recycling starts anew."""
    return SQL(
        "SELECT ask.lead_id, ask.as_of, ask.known_at, CASE WHEN lead.cycle > 1 THEN coalesce("
        "(SELECT max(stage.started_at) FROM leads_stageinterval stage"
        " WHERE stage.lead_id = ask.lead_id AND stage.stage = {recycled}"
        " AND stage.started_at <= ask.as_of), '-infinity') ELSE '-infinity' END AS since"
        " FROM ({asked}) ask JOIN leads_lead lead ON lead.id = ask.lead_id"
    ).format(recycled=LifecycleStage.RECYCLED.value, asked=asked)


def known_acts(asked: Composable) -> Composed:
    """Return the acts that count for what is asked, whatever they are; with the asset and all."""
    return SQL(
        "SELECT asked.lead_id, asked.as_of, e.kind, e.funnel_stage, e.name, e.asset_id,"
        " e.properties FROM ({}) AS asked {}"
    ).format(with_cycle_start(asked), _counting())


def _acts(rules: Sequence[NumberedRule], at_once: bool) -> Composed:
    """The acts that count, each with whether it fits each rule."""
    return SQL(
        "SELECT asked.lead_id, asked.as_of, {own} e.asset_id, e.occurred_at,"
        " date_part('epoch', asked.as_of - e.occurred_at) AS age, {matches}"
        " FROM asked {counting} AND {of_use}{at_once}"
    ).format(
        matches=matches(rules),
        own=SQL("e.id,") if any(_counts_each(rule) for _, rule in rules) else SQL(""),
        counting=_counting(),
        of_use=of_use(rules),
        at_once=AT_ONCE if at_once else SQL(""),
    )


def _counting() -> Composed:
    """Joins to what is asked the human acts of the cycle that had happened and were known."""
    return SQL(
        "JOIN engagement_event e ON e.lead_id = asked.lead_id"
        " AND e.occurred_at <= asked.as_of AND e.occurred_at > asked.since"
        " AND e.received_at <= asked.known_at WHERE e.actor = {}"
    ).format(Actor.HUMAN.value)


def _sums_of_asset(singles: Sequence[NumberedRule], evidence: bool) -> Composed:
    """Sums per lead, and per asset where a rule counts once on each."""
    columns: list[Composable] = []
    for i, rule in singles:
        inner, _ = _AGGREGATES[rule.counting]
        filled = {"agg": inner, "left": _weight(rule, SQL("age")), "end": _end(rule)}
        names = {letter: column(letter, i) for letter in "mdnt"}
        columns.append(SQL("{agg}({left}) FILTER (WHERE {m}) AS {d}").format(**filled, **names))
        if evidence:
            columns.append(SQL("count(*) FILTER (WHERE {m}) AS {n}").format(**names))
            columns.append(
                SQL("{end}(occurred_at) FILTER (WHERE {m}) AS {t}").format(**filled, **names)
            )
    return SQL("SELECT {} FROM act GROUP BY lead_id, as_of, asset").format(
        commas([SQL("lead_id, as_of, count(*) AS acts"), _asset(singles), *columns])
    )


def _asset(singles: Sequence[NumberedRule]) -> Composed:
    """The asset, of acts for which it matters on which asset they were done."""
    once = [column("m", i) for i, rule in singles if rule.counting is Counting.ONCE_PER_ASSET]
    return SQL("CASE WHEN {} THEN coalesce(asset_id, 0) END AS asset").format(
        SQL(" OR ").join(once) if once else SQL("false")
    )


def _sums_of_lead(singles: Sequence[NumberedRule], evidence: bool) -> Composed:
    columns: list[Composable] = []
    for i, rule in singles:
        _, outer = _AGGREGATES[rule.counting]
        columns.append(SQL("{0}({1}) AS {1}").format(outer, column("d", i)))
        if evidence:
            count = _COUNTS[rule.counting].format(column("n", i))
            columns.append(SQL("{} AS {}").format(count, column("n", i)))
            columns.append(SQL("{0}({1}) AS {1}").format(_end(rule), column("t", i)))
    return SQL("SELECT {} FROM of_asset GROUP BY lead_id, as_of").format(
        commas([SQL("lead_id, as_of, sum(acts) AS acts"), *columns])
    )


def _end(rule: EngagementRule) -> SQL:
    """Which act dates the line: the first where only that counts, else the latest."""
    return SQL("min") if rule.counting is Counting.FIRST else SQL("max")


def _weight(rule: EngagementRule, age: Composable) -> Composable:
    """What is left of one point after ``age`` seconds."""
    if rule.half_life is None:
        return SQL("1.0::float8")
    return SQL("exp(greatest({}::float8, {}::float8 * {}))").format(
        LEAST_EXPONENT, decay_rate(rule.half_life), age
    )


def _repeat(number: int, rule: EngagementRule, repeat: Repeat) -> Composed:
    """When enough acts lay within the span, as ``met_at``.

    Each act opens a span for its asset (or for itself), unless one is open, and the span closes
    when no further act came in time; counting the open spans is then one pass, however many acts.
    """
    return SQL(
        "WITH near AS ({neighbours})"
        " SELECT lead_id, as_of, {end}(at) AS met_at FROM (SELECT *,"
        " sum(step) OVER (PARTITION BY lead_id, as_of ORDER BY at) AS running FROM ("
        "SELECT lead_id, as_of, occurred_at AS at,"
        " (before IS NULL OR before + span <= occurred_at)::int AS step FROM near"
        " UNION ALL SELECT lead_id, as_of, occurred_at + span, -1 FROM near"
        " WHERE after IS NULL OR after >= occurred_at + span) AS step) AS run"
        " WHERE step >= 0 AND running >= {times} GROUP BY lead_id, as_of"
    ).format(neighbours=_neighbours(number, repeat), end=_end(rule), times=repeat.times)


def _counts_each(rule: EngagementRule) -> bool:
    """Say whether a rule has to tell acts apart: no index has their ids."""
    return rule.repeat is not None and not rule.repeat.different_assets


def _neighbours(number: int, repeat: Repeat) -> Composed:
    """The acts of a rule with the one before and the one after on the same asset."""
    return SQL(
        "SELECT lead_id, as_of, occurred_at, lag(occurred_at) OVER alike AS before,"
        " lead(occurred_at) OVER alike AS after, make_interval(secs => {span}) AS span"
        " FROM act WHERE {match} AND {of_use}"
        " WINDOW alike AS (PARTITION BY lead_id, as_of, {alike} ORDER BY occurred_at)"
    ).format(
        span=repeat.within.total_seconds(),
        match=column("m", number),
        of_use=SQL("asset_id IS NOT NULL") if repeat.different_assets else SQL("true"),
        alike=Identifier("asset_id" if repeat.different_assets else "id"),
    )


def _amounts(rules: Sequence[NumberedRule], evidence: bool) -> Composed:
    """The decayed sum of each rule in tenths, for every lead asked for."""
    tables = ["of_lead", *(f"repeat{i}" for i, rule in rules if rule.repeat)]
    joins = [SQL(" LEFT JOIN {} USING (lead_id, as_of)").format(Identifier(t)) for t in tables]
    return SQL("SELECT {} FROM asked{}").format(
        commas(
            [SQL("lead_id, as_of, acts"), *(c for rule in rules for c in _amount(*rule, evidence))]
        ),
        SQL("").join(joins),
    )


def _amount(number: int, rule: EngagementRule, evidence: bool) -> list[Composable]:
    """The sum of one rule in tenths, and what it came from."""
    names = {letter: column(letter, number) for letter in "dnpt"}
    if rule.repeat:
        met_at = Identifier(f"repeat{number}", "met_at")
        left = _weight(rule, SQL("date_part('epoch', as_of - {})").format(met_at))
        weight = SQL("CASE WHEN {} IS NOT NULL THEN {} ELSE 0 END").format(met_at, left)
        found = SQL("({0} IS NOT NULL)::int AS {n}, {0} AS {t}").format(met_at, **names)
    else:
        weight = SQL("coalesce({d}, 0)").format(**names)
        found = SQL("coalesce({n}, 0)::int AS {n}, {t}").format(**names)
    amount = SQL("{}::float8 * {} AS {p}").format(float(rule.points), weight, **names)
    return [amount, found] if evidence else [amount]


def _line(number: int, rule: EngagementRule) -> Composed:
    return SQL("floor(least(greatest({}, {}), {}) + {}::float8)::int AS {}").format(
        column("p", number), float(-rule.cap), float(rule.cap), ROUND, column("v", number)
    )


def _parts(definition: Definition) -> list[Composed]:
    return [
        SQL("least(greatest({}, {}), {}) AS {}").format(
            SQL(" + ").join(column("v", i) for i in numbers),
            group.floor,
            group.cap,
            column("g", place),
        )
        for place, (group, numbers) in enumerate(definition.numbered_groups())
    ]


def _engagement(definition: Definition, evidence: bool) -> Composed:
    groups = (column("g", place) for place in range(len(definition.groups)))
    arrays = [("p", "float8[]", "amounts")]
    if evidence:
        arrays += [("n", "int[]", "counts"), ("t", "timestamptz[]", "moments")]
    numbers = range(len(definition.rules))
    columns = [
        SQL("ARRAY[{}]::{} AS {}").format(
            commas(column(letter, i) for i in numbers), SQL(kind), Identifier(name)
        )
        for letter, kind, name in arrays
    ]
    return SQL(
        "SELECT lead_id, as_of, least(greatest({groups}, 0), {most})::int AS score,"
        " coalesce(acts, 0)::int AS acts, {arrays}"
        " FROM part {fence}"
    ).format(
        fence=FENCE,
        groups=SQL(" + ").join(groups),
        most=SCALE,
        arrays=commas(columns),
    )
