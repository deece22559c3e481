"""How well leads fitted a model at times of the past, and since when.

What criteria ask about is taken as it was: attributes as the fact log had them, the stage as that
of the open trip, the lead's own deals and consents as at that instant. Relative dates, recent acts
and the deals of colleagues are taken as at the end of the local day, so that one statement answers
for all leads of a day. A model that asks for none of these is asked once for all leads whose
attributes did not change since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.utils import timezone
from psycopg.sql import SQL, Composed, Identifier

from scoring.definition import Definition
from scoring.fit import asks_for_stage, asks_for_time, fit_tables, of_leads
from scoring.past import open_leads
from scoring.query import ask_pairs
from scoring.replay.log import STANDING, Pair, Span, Trip, as_it_happened
from scoring.sql import Tables, rows, with_tables


@dataclass(frozen=True, slots=True)
class Fit:
    """How a lead fitted: in tenths, None when not evaluated; and what keeps it from being an MQL.

    Blocked it is for a time, disqualified for good.
    """

    fit: int | None
    is_blocked: bool
    is_disqualified: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A lead in a trip at an instant; ``is_present`` if its attributes did not change since."""

    trip: Trip
    at: datetime
    is_present: bool

    @property
    def pair(self) -> Pair:
        """Return the lead and the instant."""
        return self.trip.lead_id, self.at


class Fitting:
    """Answers how leads of one run fitted one model."""

    def __init__(self, definition: Definition, span: Span) -> None:
        """Find out what the model asks for."""
        self.asks_for_time = asks_for_time(definition)
        self._asks_for_past = self.asks_for_time or asks_for_stage(definition)
        self._definition = definition
        self._span = span
        self._known: dict[Pair, Fit] = {}

    def of(self, questions: Iterable[Question]) -> Mapping[Pair, Fit]:
        """Return the fit of leads at instants; what was asked before is known."""
        found = self._known
        for now, together in self._by_day(questions).items():
            plain = [] if self._asks_for_past else [each for each in together if each.is_present]
            past = together if self._asks_for_past else [x for x in together if not x.is_present]
            if plain:
                found |= self._ask(plain, now, [])
            for layer in _layers(past):
                found |= self._ask(layer, now, self._as_it_was(layer))
        return found

    def _by_day(self, questions: Iterable[Question]) -> Mapping[datetime, list[Question]]:
        """Group what may be asked together, by the time at which criteria are asked."""
        groups: dict[datetime, list[Question]] = defaultdict(list)
        for each in questions:
            if each.pair in self._known:
                continue
            groups[end_of_day(each.at) if self.asks_for_time else self._span.ends_at].append(each)
        return groups

    def _ask(self, asked: Sequence[Question], now: datetime, before: Tables) -> dict[Pair, Fit]:
        lead_ids = list({each.trip.lead_id for each in asked})
        fitted = fit_tables(
            self._definition, of_leads(lead_ids), now=now, is_past=self.asks_for_time
        )
        body = SQL("SELECT lead_id, fit, blocked_by <> '', disqualified_by <> '' FROM fit")
        fits = {
            lead_id: Fit(*found)
            for lead_id, *found in rows(with_tables([*before, *fitted], body, keep=["leads_lead"]))
        }
        return {each.pair: fits[each.trip.lead_id] for each in asked}

    def _as_it_was(self, asked: Sequence[Question]) -> Tables:
        """Return the tables that hide the present: one question for each lead."""
        moments = ask_pairs(each.pair for each in asked)
        own = SQL(
            "SELECT {0}.* FROM {0} LEFT JOIN ({1}) AS moment USING (lead_id)"
            " WHERE {0}.{2} <= coalesce(moment.as_of, {0}.{2})"
        )
        facts = next(each for each in as_it_happened(self._span) if each[0] == "leads_leadfact")
        tables = [facts, open_leads(_asked_in_trip(asked))]
        for table, column in STANDING.items():
            tables.append((table, own.format(Identifier(table), moments, Identifier(column))))
        return tables


def _asked_in_trip(asked: Sequence[Question]) -> Composed:
    """Ask for leads at instants, telling the stage of the open trip."""
    trips = [each.trip for each in asked]
    return SQL(
        "SELECT * FROM unnest("
        "{}::bigint[], {}::timestamptz[], {}::text[], {}::timestamptz[], {}::int[])"
        " AS moment (lead_id, as_of, stage, stage_since, cycle)"
    ).format(
        [trip.lead_id for trip in trips],
        [each.at for each in asked],
        [trip.stage for trip in trips],
        [trip.began_at for trip in trips],
        [trip.cycle for trip in trips],
    )


def _layers(asked: Iterable[Question]) -> Iterator[list[Question]]:
    """Yield the questions in lists that hold each lead once."""
    waiting: dict[int, list[Question]] = defaultdict(list)
    for each in asked:
        waiting[each.trip.lead_id].append(each)
    while waiting:
        yield [questions.pop() for questions in waiting.values()]
        waiting = {lead_id: left for lead_id, left in waiting.items() if left}


def end_of_day(moment: datetime) -> datetime:
    """Return the last instant of the local day of ``moment``."""
    return next_midnight(moment) - timedelta(microseconds=1)


def next_midnight(moment: datetime) -> datetime:
    """Return when the next local day begins, in UTC."""
    day = timezone.localdate(moment) + timedelta(days=1)
    return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)
