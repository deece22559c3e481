"""A rep's own numbers beside those of the team and what was agreed, by the reports' arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crm.accounts.models import User
from crm.common.ui import words
from crm.reports.compliance import Compliance, ComplianceRow
from crm.reports.live import Live, LiveFigures, live_figures
from crm.reports.outcomes import Outcome
from crm.reports.pages import FEWEST, Kpi, kpis, whole_line
from crm.reports.promises import (
    Course,
    Promise,
    attempts_made,
    course_of,
    kept_in_time,
    share_kept,
)
from crm.reports.questions import SlaQuestion
from crm.reports.sla_output import figures
from crm.reports.standing import By, Sample
from handoff.enums import ClockKind
from handoff.models import Agreement

_GOALS = (
    "acceptance_goal", "on_time_goal", "verdict_goal", "attempts_owed", "sql_goal",
    "conversion_goal",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One number: the rep's, which opens its handoffs, and the team's; None without a team."""

    own: Promise
    team: Promise | None


@dataclass(frozen=True)
class OwnNumbers:
    """Everything the page shows."""

    figures: Sequence[Kpi]
    lines: Sequence[Line]


def own_numbers(
    question: SlaQuestion,
    rep: User,
    *,
    agreement: Agreement | None,
    goal: int | None,
    now: datetime,
) -> OwnNumbers:
    """Return what ``rep`` made of what they answer for, first touches first.

    Args:
        question: whose, and over which period.
        rep: whose team they are held against.
        agreement: what is promised; None where nobody agreed on anything.
        goal: percent of first touches promised in time, or None.
        now: the moment at which the clocks are looked at.
    """
    own = _read(question, agreement, now)
    of_team = replace(question, only={By.TEAM: str(rep.sales_team_id)})
    team = _read(of_team, agreement, now).lines if rep.sales_team_id else [None] * len(own.lines)
    whole = whole_line(question, own.found.whole, goal=goal)
    return OwnNumbers(
        figures=kpis(question, whole, own.found.before, goal=goal, live=own.live),
        lines=[Line(*pair) for pair in zip(own.lines, team, strict=True)],
    )


@dataclass(frozen=True)
class _Read:
    """What was read of one scope."""

    found: Compliance
    live: LiveFigures
    lines: Sequence[Promise]


def _read(question: SlaQuestion, agreement: Agreement | None, now: datetime) -> _Read:
    found, live = figures(question, now=now), live_figures(question.scope, now=now)
    course = course_of(question.period, question.list_url, only=question.only, now=now)
    lines = [
        *_counted(question, found.whole, live),
        *_spans(course, found.whole),
        *_promised(course, agreement),
    ]
    return _Read(found, live, lines)


def _counted(question: SlaQuestion, row: ComplianceRow, live: LiveFigures) -> list[Promise]:
    url = f"{question.list_url}?{question.query()}"
    return [
        Promise("Received", f"{row.received:,}", "", "", url, None),
        Promise("Open now", live.running, "", "", f"{url}&live={Live.RUNNING}", None),
    ]


def _spans(course: Course, row: ComplianceRow) -> list[Promise]:
    """Return how long first touches took, in working time; of few that says nothing."""
    spans = {"Median first touch": row.median, "90th percentile": row.p90}
    url = course.url(ClockKind.FIRST_TOUCH, standing=Sample.ANSWERED.value)
    return [
        Promise(label, _span(span, row), f"n = {row.answered:,}", "", url, None)
        for label, span in spans.items()
    ]


def _span(span: timedelta | None, row: ComplianceRow) -> str:
    return words.working_time(span) if span is not None and row.answered >= FEWEST else "–"


def _promised(course: Course, agreement: Agreement | None) -> list[Promise]:
    """Return the shares that both sides agreed on, as the scorecard of a month counts them."""
    goals = {name: getattr(agreement, name, None) or None for name in _GOALS}  # 0 asks nothing
    return [
        share_kept(
            "Accepted", course, Outcome.ACCEPTED, Outcome.ANSWERED, goals["acceptance_goal"]
        ),
        kept_in_time("First touch in time", course, ClockKind.FIRST_TOUCH, goals["on_time_goal"]),
        kept_in_time("Verdict in time", course, ClockKind.VERDICT, goals["verdict_goal"]),
        attempts_made(course, goals["attempts_owed"]),
        share_kept("Became SQL", course, Outcome.QUALIFIED, Outcome.DECIDED, goals["sql_goal"]),
        share_kept("SQLs won", course, Outcome.WON, Outcome.SETTLED, goals["conversion_goal"]),
    ]
