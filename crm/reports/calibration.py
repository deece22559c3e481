"""Which answers of the form after the call predicted won deals.

A recorded form is held against the deal of its cycle: the last one that fits the history. What is
compared are closed deals only, as of the others nobody knows the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from crm.common.ui import words
from handoff.enums import BantAnswer, Verdict
from handoff.models import BantAssessment
from leads.enums import DealOutcome
from leads.models import Deal
from scoring.predictive.accuracy import Estimate, share

#: Closed deals below which no share is shown, as on every report.
LEAST = 10

_FIGURES = """
    SELECT bant.framework, line.place, line.told ->> 'question', max(line.told ->> 'label'),
        line.told ->> 'answer', count(*), count(*) FILTER (WHERE bant.verdict = 'SQL'),
        count(*) FILTER (WHERE deal.outcome = 'WON'), count(*) FILTER (WHERE deal.outcome = 'LOST')
    FROM handoff_bantassessment bant
    JOIN handoff_handoff handoff ON handoff.id = bant.handoff_id
    LEFT JOIN LATERAL (
        SELECT outcome FROM leads_deal deal
        WHERE deal.lead_id = handoff.lead_id AND deal.cycle = handoff.cycle AND deal.flag = ''
        ORDER BY deal.closed_at DESC, deal.id DESC LIMIT 1
    ) deal ON true
    CROSS JOIN LATERAL jsonb_array_elements(bant.lines) WITH ORDINALITY AS line (told, place)
    WHERE bant.submitted_at >= %s AND bant.submitted_at <= %s
    GROUP BY bant.framework, line.place, line.told ->> 'question', line.told ->> 'answer'
    ORDER BY bant.framework, line.place, 3
"""


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """What became of the leads that gave one answer to one question."""

    framework: str
    place: int
    question: str
    label: str
    answer: BantAnswer
    recorded: int
    sql: int
    won: int
    lost: int

    @property
    def closed(self) -> int:
        """Return how many deals have an end."""
        return self.won + self.lost

    @property
    def rate(self) -> Estimate | None:
        """Return the share of won among closed deals; None of too few."""
        return share(self.won, self.closed) if self.closed >= LEAST else None

    @property
    def said(self) -> list[str]:
        """Return the share and the ends of its interval in words; nothing of too few."""
        rate = self.rate
        figures = (rate.value, rate.low, rate.high) if rate else ()
        return [words.percent(100 * each, 100) for each in figures]


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One row of the table: the figures, and what they say beside those of all answers."""

    figures: AnswerFigures
    finding: str


@dataclass(frozen=True, slots=True)
class QuestionTable:
    """The answers to one question in the order of the form; ``overall`` are all closed deals."""

    framework: str
    label: str
    lines: list[AnswerLine]
    won: int
    closed: int


def calibrate(*, since: datetime, now: datetime) -> list[QuestionTable]:
    """Return a table for each question of each framework; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [since, now])
        found = [_figures(row) for row in cursor.fetchall()]
    by_question = attrgetter("framework", "place", "question")
    return [_table(list(figures)) for _, figures in groupby(found, key=by_question)]


def recorded_forms(
    *, framework: str, question: str, answer: BantAnswer, outcome: str, since: datetime,
    now: datetime,
) -> QuerySet[BantAssessment]:  # fmt: skip
    """Return exactly the forms that a figure counts, with their ``outcome``.

    Args:
        framework: Its name.
        question: By name.
        answer: That was recorded.
        outcome: ``WON``, ``LOST``, ``SQL``, or empty for all.
        since: Recorded from then on.
        now: And up to now.
    """
    deals = Deal.objects.filter(
        lead=OuterRef("handoff__lead"), cycle=OuterRef("handoff__cycle"), flag=""
    ).order_by("-closed_at", "-id")
    forms = (
        BantAssessment.objects.filter(
            framework=framework,
            lines__contains=[{"question": question, "answer": answer.value}],
            submitted_at__range=(since, now),
        )
        .annotate(
            outcome=Subquery(deals.values("outcome")[:1]),
            value=Subquery(deals.values("value")[:1]),
            currency=Subquery(deals.values("currency")[:1]),
        )
        .select_related("handoff__lead", "saved_by")
    )
    if outcome in DealOutcome.values:
        return forms.filter(outcome=outcome)
    return forms.filter(verdict=Verdict.SQL) if outcome == Verdict.SQL else forms


def _figures(row: Sequence[Any]) -> AnswerFigures:
    framework, place, question, label, answer, *counts = row
    recorded, sql, won, lost = counts
    return AnswerFigures(
        framework, place, question, label, BantAnswer(answer), recorded, sql, won, lost
    )


def _table(figures: Sequence[AnswerFigures]) -> QuestionTable:
    won, closed = sum(each.won for each in figures), sum(each.closed for each in figures)
    order = list(BantAnswer)
    return QuestionTable(
        framework=figures[0].framework,
        label=figures[0].label,
        lines=[
            AnswerLine(each, _finding(each, won, closed))
            for each in sorted(figures, key=lambda each: order.index(each.answer))
        ],
        won=won,
        closed=closed,
    )


def _finding(figures: AnswerFigures, won: int, closed: int) -> str:
    """Say whether the interval of an answer lies beside the share of all."""
    if figures.rate is None:
        return "too few"
    overall = won / closed
    if figures.rate.low > overall:
        return "won more often"
    return "won less often" if figures.rate.high < overall else "no difference shown"
