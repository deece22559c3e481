"""What became of each MQL: one relation of every MQL cycle of the history, for whoever asks.

Leads that were merged into others are left out, as in the funnel.

A cycle counts from its first entry into MQL or, where history skipped that, into a stage beyond
it; the steps read as in the funnel: a lost deal was an SQL before. Stages are read from the
intervals. What sales refused is known to the floor above, which registers it here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from crm.common.registry import Registry
from leads.enums import LifecycleStage
from scoring.sql import NOT_MERGED, commas, rows

S = LifecycleStage

#: The stages that prove that a lead became MQL, was accepted, became SQL.
MQL_PROOFS = (S.MQL, S.SAL, S.SQL, S.WON, S.LOST)
ACCEPTED_PROOFS = MQL_PROOFS[1:]
SQL_PROOFS = MQL_PROOFS[2:]


@dataclass(frozen=True)
class RefusalSource:
    """Which MQL cycles sales refused.

    ``select()`` is a query with ``lead_id``, ``cycle``, ``refused_at`` and ``reason``, a code, that
    finds a cycle once; ``labels`` says the codes in words.
    """

    name: str
    order: int
    select: Callable[[], Composable]
    labels: Callable[[], dict[str, str]]


refusal_sources: Registry[RefusalSource] = Registry("refusal source")


@dataclass(frozen=True, slots=True)
class MqlCycle:
    """One cycle of a lead that came to MQL, and how it went on; None is "not (yet)".

    ``known_at`` is up to when what Baton had received counts as known at ``mql_at``: that instant
    itself or, where the cycle was imported, the moment of asking, as all came later then.
    ``model_version`` and ``cell`` are the snapshot of the move, None and empty where there was
    none. ``is_skipped`` says that the stage MQL itself is missing.
    """

    lead_id: int
    cycle: int
    mql_at: datetime
    known_at: datetime
    model_version: int | None
    cell: str
    is_imported: bool
    is_skipped: bool
    accepted_at: datetime | None
    sql_at: datetime | None
    won_at: datetime | None
    lost_at: datetime | None
    recycled_at: datetime | None
    disqualified_at: datetime | None
    refused_at: datetime | None
    refusal_reason: str

    @property
    def is_decided(self) -> bool:
        """Say whether sales has given a verdict: SQL, or a way out."""
        ends = (self.sql_at, self.recycled_at, self.disqualified_at, self.refused_at)
        return any(end is not None for end in ends)


COLUMNS = tuple(field.name for field in fields(MqlCycle))

#: Entering RECYCLED opens the next cycle and is the exit of the one before.
_CYCLES = SQL(
    "SELECT lead_id, (CASE stage WHEN 'RECYCLED' THEN cycle - 1 ELSE cycle END)::int AS cycle,"
    " {moments}, {firsts} FROM leads_stageinterval"
    " WHERE lead_id IN (SELECT lead_id FROM leads_stageinterval WHERE {is_mql} AND {within})"
    " AND {not_merged}"
    " GROUP BY 1, 2 HAVING min(started_at) FILTER (WHERE {is_mql}) IS NOT NULL"
)
_RELATION = SQL(
    "SELECT {columns} FROM (SELECT own.*,"
    " CASE WHEN is_imported THEN {now}::timestamptz ELSE mql_at END AS known_at,"
    " refusal.refused_at, coalesce(refusal.reason, '') AS refusal_reason"
    " FROM ({cycles}) own LEFT JOIN ({refusals}) refusal USING (lead_id, cycle)"
    " WHERE {in_time}) AS mql_cycle"
)
_NOTHING = SQL(
    "SELECT NULL::bigint AS lead_id, NULL::int AS cycle, NULL::timestamptz AS refused_at,"
    " NULL::text AS reason WHERE false"
)


def mql_cycles(
    *, now: datetime, since: datetime | None = None, until: datetime | None = None
) -> Composed:
    """Return the query of all MQL cycles, with ``COLUMNS``, in no order.

    Args:
        now: the moment of asking.
        since: the earliest ``mql_at``, included; by default without limit.
        until: the end of ``mql_at``, not included; by default without limit.
    """
    return _RELATION.format(
        columns=commas(map(Identifier, COLUMNS)),
        now=now,
        cycles=_CYCLES.format(
            moments=commas(_moments()),
            firsts=commas(_firsts()),
            is_mql=_is_one_of(MQL_PROOFS),
            within=_between("started_at", since, until),
            not_merged=NOT_MERGED,
        ),
        refusals=_refusals(),
        in_time=_between("mql_at", since, until),
    )


def read_cycles(
    *, now: datetime, since: datetime | None = None, until: datetime | None = None
) -> list[MqlCycle]:
    """Return the MQL cycles by ``mql_at``; the arguments are those of ``mql_cycles``."""
    cycles = mql_cycles(now=now, since=since, until=until)
    query = SQL("SELECT {} FROM ({}) AS mql_cycle ORDER BY mql_at, lead_id, cycle")
    return [MqlCycle(*row) for row in rows(query.format(commas(map(Identifier, COLUMNS)), cycles))]


def refusal_labels() -> dict[str, str]:
    """Return the words for the reasons of refusals."""
    return {code: words for source in refusal_sources for code, words in source.labels().items()}


def _refusals() -> Composable:
    sources = [source.select() for source in refusal_sources]
    return SQL(" UNION ALL ").join(sources) if sources else _NOTHING


def _moments() -> list[Composed]:
    """When the cycle first came to each step."""
    proofs = {
        "mql_at": MQL_PROOFS,
        "accepted_at": ACCEPTED_PROOFS,
        "sql_at": SQL_PROOFS,
        "won_at": (S.WON,),
        "lost_at": (S.LOST,),
        "recycled_at": (S.RECYCLED,),
        "disqualified_at": (S.DISQUALIFIED,),
    }
    text = SQL("min(started_at) FILTER (WHERE {}) AS {}")
    return [text.format(_is_one_of(stages), Identifier(name)) for name, stages in proofs.items()]


def _firsts() -> list[Composed]:
    """What was kept with the first of these moves."""
    kept = {
        "model_version": SQL("model_version"),
        "cell": SQL("cell"),
        "is_imported": SQL("is_imported"),
        "is_skipped": SQL("stage <> 'MQL'"),
    }
    text = SQL("(array_agg({} ORDER BY sequence) FILTER (WHERE {}))[1] AS {}")
    is_mql = _is_one_of(MQL_PROOFS)
    return [text.format(value, is_mql, Identifier(name)) for name, value in kept.items()]


def _is_one_of(stages: tuple[LifecycleStage, ...]) -> Composed:
    return SQL("stage = ANY({})").format([stage.value for stage in stages])


def _between(name: str, since: datetime | None, until: datetime | None) -> Composable:
    limits = [
        SQL("{} {} {}").format(Identifier(name), SQL(sign), Literal(limit))
        for sign, limit in ((">=", since), ("<", until))
        if limit
    ]
    return SQL(" AND ").join(limits) if limits else SQL("true")
