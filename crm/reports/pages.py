"""What the report templates show: figures joined with the links that open them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse

from crm.common.period import PRESETS
from crm.common.ui import words
from crm.reports.compliance import ComplianceRow
from crm.reports.live import Live, LiveFigures
from crm.reports.outcomes import OUTCOME_LABELS
from crm.reports.questions import FunnelQuestion, SlaQuestion
from crm.reports.standing import By, Sample, Standing, chosen_label
from handoff.enums import ClockKind

#: No percentages of fewer: one lead more or less would move them by more than ten points.
FEWEST = 10
SLA_HEADER = (
    "handoff", "lead", "name", "rep", "team", "tier", "source", "clock", "opened_at", "due_at",
    "stopped_at", "target_minutes", "elapsed_minutes", "standing",
)  # fmt: skip


@dataclass(frozen=True)
class Link:
    """A choice among several; ``current`` is the one shown."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True)
class Kpi:
    """One figure of the strip on top; ``state`` is ok, risk, bad or empty."""

    label: str
    figure: str
    unit: str = ""
    note: str = ""
    verdict: str = ""
    state: str = ""
    url: str = ""


def period_links(path: str, question: FunnelQuestion | SlaQuestion) -> list[Link]:
    """Return the periods on offer."""
    return [
        Link(label, f"{path}?{question.over(name)}", question.period.name == name)
        for name, label in PRESETS.items()
    ]


@dataclass(frozen=True)
class ComplianceLine:
    """One row of the compliance table with the links of its figures."""

    row: ComplianceRow
    page_url: str
    received_url: str
    on_time_url: str
    late_url: str
    not_yet_due_url: str
    excused_url: str
    withdrawn_url: str
    open_url: str
    due_url: str
    answered_url: str
    is_behind: bool

    @property
    def distribution(self) -> list[tuple[str, str, int]]:
        """Return what became of the clocks that ended, as ``stack_bar`` draws it."""
        quick = [
            (f"step-{place}", f"Up to {25 * place} %", count)
            for place, count in enumerate(self.row.used, start=1)
        ]
        return [*quick, ("late", "Late", self.row.late)]


def compliance_lines(
    question: SlaQuestion, rows: Sequence[ComplianceRow], *, goal: int | None
) -> list[ComplianceLine]:
    """Return the rows of the table; behind is below ``goal`` percent with a sample that counts.

    Without a goal nothing is behind.
    """
    path = reverse("reports:sla")
    return [_compliance_line(path, question, row, _narrowed(question, row), goal) for row in rows]


def whole_line(question: SlaQuestion, row: ComplianceRow, *, goal: int | None) -> ComplianceLine:
    """Return the figures of everything asked for."""
    return _compliance_line(reverse("reports:sla"), question, row, {}, goal)


def _compliance_line(
    path: str,
    question: SlaQuestion,
    row: ComplianceRow,
    narrowed: Mapping[str, object],
    goal: int | None,
) -> ComplianceLine:
    received = question.query(**{**narrowed, "standing": ""})
    page_url = f"{path}?{received}"
    url = f"{question.list_url}?{received}"
    return ComplianceLine(
        row=row,
        page_url=page_url,
        received_url=url,
        on_time_url=f"{url}&standing={Standing.ON_TIME}",
        late_url=f"{url}&standing={Standing.LATE}",
        not_yet_due_url=f"{url}&standing={Standing.NOT_YET_DUE}",
        excused_url=f"{url}&standing={Standing.EXCUSED}",
        withdrawn_url=f"{url}&standing={Standing.WITHDRAWN}",
        open_url=f"{url}&standing={Sample.OPEN}",
        due_url=f"{url}&standing={Sample.DUE}",
        answered_url=f"{url}&standing={Sample.ANSWERED}",
        is_behind=goal is not None and row.due >= FEWEST and not _is_kept(row, goal),
    )


def _is_kept(row: ComplianceRow, goal: int) -> bool:
    return row.on_time * 100 >= goal * row.due


def _narrowed(question: SlaQuestion, row: ComplianceRow) -> dict[str, object]:
    """Return the parameters that leave exactly the handoffs of ``row``."""
    if question.by is not By.WEEK:
        return {question.by.value: row.key}
    monday = date.fromisoformat(row.key)
    first = max(monday, question.period.first)
    last = min(monday + timedelta(days=6), question.period.last)
    return {"from": first.isoformat(), "to": last.isoformat()}


def by_links(path: str, question: SlaQuestion) -> list[Link]:
    """Return the ways to split the table."""
    return [
        Link(by.value.capitalize(), f"{path}?{question.query(by=by.value)}", question.by is by)
        for by in By
    ]


def kind_links(path: str, question: SlaQuestion) -> list[Link]:
    """Return the clocks on offer."""
    return [
        Link(kind.label, f"{path}?{question.query(kind=kind.value)}", question.kind is kind)
        for kind in ClockKind
    ]


def counted_title(question: SlaQuestion) -> str:
    """Return what the list behind a figure holds, in words."""
    if question.live:
        return f"{_LIVE[question.live]} now, {question.kind.label.lower()} clock"
    what = chosen_label(question.standing) if question.standing else "Received"
    if question.outcome:
        return f"{OUTCOME_LABELS[question.outcome]}, {question.period.label}"
    return f"{what}, {question.kind.label.lower()} clock, {question.period.label}"


_LIVE = {Live.RUNNING: "Open", Live.AT_RISK: "At risk", Live.OVERDUE: "Overdue"}


def kpis(
    question: SlaQuestion,
    whole: ComplianceLine,
    before: ComplianceRow,
    *,
    goal: int | None,
    live: LiveFigures,
) -> list[Kpi]:
    """Return the strip of six: four of the period, two of this moment."""
    return [
        _on_time_kpi(whole, before, goal),
        Kpi(
            "Breaches",
            f"{whole.row.late:,}",
            note=f"of {whole.row.due:,} due, {before.late:,} in the period before",
            url=whole.late_url,
        ),
        _span_kpi("Median response", whole.row.median, before.median, whole),
        _span_kpi("90th percentile", whole.row.p90, before.p90, whole),
        Kpi(
            "At risk now",
            live.at_risk,
            note=f"of {live.running} open clocks",
            url=_live_url(question, question.kind, Live.AT_RISK),
        ),
        Kpi(
            "Not accepted",
            live.unaccepted,
            note=f"{live.overdue} past their time",
            url=_live_url(question, ClockKind.ACCEPT, Live.RUNNING),
        ),
    ]


def _live_url(question: SlaQuestion, kind: ClockKind, live: Live) -> str:
    asked = question.query(kind=kind.value, live=live.value, standing="")
    return f"{question.list_url}?{asked}"


def _on_time_kpi(whole: ComplianceLine, before: ComplianceRow, goal: int | None) -> Kpi:
    row = whole.row
    if row.due < FEWEST:
        figure = f"{row.on_time} of {row.due}" if row.due else "–"
        return Kpi(
            "On time", figure, note="Nothing due" if not row.due else "due", url=whole.on_time_url
        )
    then = f", before {words.percent(before.on_time, before.due)}" if before.due >= FEWEST else ""
    measured = {} if goal is None else _measured(row, goal)
    return Kpi(
        "On time",
        f"{100 * row.on_time / row.due:.1f}",
        unit="%",
        note=f"{row.on_time:,} of {row.due:,} due{then}",
        url=whole.on_time_url,
        **measured,
    )


def _measured(row: ComplianceRow, goal: int) -> dict[str, str]:
    """Return what a figure says of a goal that was agreed."""
    return {"verdict": f"Goal {goal} %", "state": "ok" if _is_kept(row, goal) else "bad"}


def _span_kpi(
    label: str, now: timedelta | None, then: timedelta | None, whole: ComplianceLine
) -> Kpi:
    answered, url = whole.row.answered, whole.answered_url
    if now is None or answered < FEWEST:
        return Kpi(label, "–", note=f"n = {answered}, shown from {FEWEST}", url=url)
    note = f"working time, n = {answered:,}"
    if then is None or abs(now - then) < timedelta(minutes=1):
        return Kpi(label, words.working_time(now), note=note, url=url)
    faster = now < then
    change = words.working_time(abs(now - then))
    verdict = f"{change} {'faster' if faster else 'slower'}"
    return Kpi(
        label,
        words.working_time(now),
        note=note,
        verdict=verdict,
        state="ok" if faster else "risk",
        url=url,
    )
