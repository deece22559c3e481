"""How well leads fitted a model at times of the past, and since when.

What criteria ask about is taken as it was: attributes as the fact log had them, the stage as that
of the open cycle, consents and deals as at that instant. Relative dates and counts of recent acts
are taken as at the end of the local day, so that one statement answers for all leads of a day. A
lead of which nothing changed since that the model asks for is asked as it is now, once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.utils import timezone
from psycopg.sql import SQL, Composable, Composed, Identifier

from leads.enums import DealOutcome
from leads.services.facts import FACT_FIELDS
from scoring.definition import Definition
from scoring.fit import asks_for_stage, fit_tables, names_read, of_leads
from scoring.past import open_lead
from scoring.replay.log import Cycle, Pair, Span, as_it_happened
from scoring.sql import Tables, many_rows, rows, with_tables

#: What is known of a lead beside its attributes, by when.
_OWN_LOGS = {"leads_deal": "closed_at", "leads_consent": "given_at"}
_STANDING = {**_OWN_LOGS, "leads_companydeal": "closed_at"}
_ANSWER = SQL("fit, blocked_by <> '', disqualified_by <> ''")
_FACTS = SQL("SELECT lead_id, recorded_at AS at FROM leads_leadfact WHERE field = ANY({})")
_OWN = SQL("SELECT lead_id, {} FROM {} WHERE lead_id BETWEEN {first} AND {last}")
#: A company becomes a customer once, whoever of it bought.
_OF_COLLEAGUES = SQL(
    "SELECT lead.id, bought.at FROM leads_lead lead JOIN ("
    "SELECT company_id, min(closed_at) AS at FROM leads_companydeal"
    " WHERE outcome = {won} AND closed_at <= created_at GROUP BY 1"
    ") AS bought USING (company_id) WHERE lead.id BETWEEN {first} AND {last}"
)

#: How did the lead of a cycle fit at an instant of it?
Question = tuple[Cycle, datetime]


@dataclass(frozen=True, slots=True)
class Fit:
    """How a lead fitted: in tenths, None when not evaluated; and what keeps it from being an MQL.

    Blocked it is for a time, disqualified for good.
    """

    fit: int | None
    is_blocked: bool
    is_disqualified: bool


class Fitting:
    """Answers how the leads of one run fitted one model."""

    def __init__(self, definition: Definition, span: Span) -> None:
        """Find out when what the model asks for changed."""
        self.moves_with_time = definition.moves_with_time
        self.changes = _read_changes(span, names_read(definition))
        self._is_past_only = self.moves_with_time or asks_for_stage(definition)
        self._definition, self._span = definition, span
        self._present: dict[int, Fit] = {}
        self._past: dict[Pair, Fit] = {}

    def ask(self, questions: Iterable[Question]) -> None:
        """Find how leads fitted in their cycles at instants, as far as that is not known yet."""
        present: set[int] = set()
        past: dict[datetime, list[Question]] = defaultdict(list)
        for cycle, at in questions:
            if self._is_present(cycle, at):
                present.add(cycle.lead_id)
            elif (cycle.lead_id, at) not in self._past:
                past[self._asked_at(at)].append((cycle, at))
        self._ask_present(sorted(present - self._present.keys()))
        for now, asked in past.items():
            self._ask_past(asked, now)

    def of(self, cycle: Cycle, at: datetime) -> Fit:
        """Return how a lead fitted at an instant that was asked."""
        if self._is_present(cycle, at):
            return self._present[cycle.lead_id]
        return self._past[cycle.lead_id, at]

    def _is_present(self, cycle: Cycle, at: datetime) -> bool:
        """Say whether nothing that the model asks for changed since."""
        changes = self.changes.get(cycle.lead_id)
        return not self._is_past_only and (not changes or changes[-1] <= at)

    def _asked_at(self, at: datetime) -> datetime:
        return end_of_day(at) if self.moves_with_time else self._span.ends_at

    def _ask_present(self, lead_ids: Sequence[int]) -> None:
        if not lead_ids:
            return
        fitted = fit_tables(self._definition, of_leads(lead_ids), now=self._span.ends_at)
        found = rows(with_tables(fitted, SQL("SELECT lead_id, {} FROM fit").format(_ANSWER)))
        self._present |= {lead_id: Fit(*answer) for lead_id, *answer in found}

    def _ask_past(self, asked: Sequence[Question], now: datetime) -> None:
        """Ask for leads at any instants: for each, tables stand before the present ones."""
        fitted = fit_tables(self._definition, SQL("true"), now=now)
        answer = with_tables([*_as_it_was(), *fitted], SQL("SELECT {} FROM fit").format(_ANSWER))
        query = SQL(
            "SELECT moment.lead_id, moment.as_of, told.* FROM ({}) AS moment"
            " CROSS JOIN LATERAL ({}) AS told"
        ).format(_moments(asked), answer)
        facts = [each for each in as_it_happened(self._span) if each[0] == "leads_leadfact"]
        for lead_id, at, *found in rows(with_tables(facts, query)):
            self._past[lead_id, at] = Fit(*found)


def _moments(asked: Sequence[Question]) -> Composed:
    """Return leads at instants, with the stage of the open cycle."""
    return SQL(
        "SELECT * FROM unnest("
        "{}::bigint[], {}::timestamptz[], {}::text[], {}::timestamptz[], {}::int[])"
        " AS asked (lead_id, as_of, stage, stage_since, cycle)"
    ).format(
        [cycle.lead_id for cycle, _ in asked],
        [at for _, at in asked],
        [cycle.stage for cycle, _ in asked],
        [cycle.began_at for cycle, _ in asked],
        [cycle.number for cycle, _ in asked],
    )


def _as_it_was() -> Tables:
    """Return the tables that hold what was known at the outer ``moment``."""
    text = SQL("SELECT * FROM {} WHERE {} <= moment.as_of")
    return [
        open_lead(),
        *(
            (table, text.format(Identifier(table), Identifier(column)))
            for table, column in _STANDING.items()
        ),
    ]


def _read_changes(span: Span, names: Collection[str]) -> dict[int, list[datetime]]:
    """Return when something changed of each lead that criteria look at, in order."""
    logs: list[Composable] = [_FACTS.format([name for name in FACT_FIELDS if name in names])]
    filled = {"first": span.first, "last": span.last}
    logs += [
        _OWN.format(Identifier(column), Identifier(table), **filled)
        for table, column in _OWN_LOGS.items()
        if table in names
    ]
    if "leads_companydeal" in names:
        logs.append(_OF_COLLEAGUES.format(won=DealOutcome.WON.value, **filled))
    query = SQL(
        "SELECT lead_id, array_agg(DISTINCT at ORDER BY at) FROM ({}) AS change GROUP BY 1"
    ).format(SQL(" UNION ALL ").join(logs))
    return dict(many_rows(with_tables(as_it_happened(span), query)))


def end_of_day(moment: datetime) -> datetime:
    """Return the last instant of the local day of ``moment``."""
    return next_midnight(moment) - timedelta(microseconds=1)


def next_midnight(moment: datetime) -> datetime:
    """Return when the next local day begins, in UTC."""
    day = timezone.localdate(moment) + timedelta(days=1)
    return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)
