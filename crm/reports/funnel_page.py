"""What the templates of the funnel show: figures joined with the links that open them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from crm.common.period import Period
from crm.reports.cohorts import COHORTS, EXITS, FLOW, Split, Unit
from crm.reports.counted_leads import OPEN, OVERRIDDEN, SKIPPED
from crm.reports.funnel import FunnelRow
from crm.reports.pages import Link
from crm.reports.questions import FunnelQuestion
from crm.reports.slices import CAME_OF_VISITOR, Slice, part_labels
from crm.reports.visitors import first_seen

FUNNEL_HEADER = (
    "lead", "name", "email", "source", "cycle", "began_at", "lead_at", "mql_at", "accepted_at",
    "sql_at", "won_at", "lost", "recycled", "disqualified", "overridden",
)  # fmt: skip
FLOW_HEADER = ("lead", "name", "email", "source", "cycle", "step", "at")
_SPLITS = {split.value: split.value.capitalize() for split in Split}
_COHORTS = {"LEAD": "Created", "MQL": "MQL"}
STEP_NOTES = {
    "LEAD": "Gave contact data",
    "MQL": "Met the definition",
    "SAL": "Taken by sales",
    "SQL": "BANT verdict",
    "WON": "Deal won",
}
#: What a split goes by where its name does not say it; of people and of cycles.
_SPLIT_NOTES = {
    Split.REP: {
        Unit.PEOPLE: "Rep: whose the last handoff was.",
        Unit.CYCLES: "Rep: whose the last handoff of the cycle was.",
    },
    Split.NURTURE: {
        Unit.PEOPLE: "In nurture was who was ever recycled.",
        Unit.CYCLES: "In nurture was a cycle that began after a recycling.",
    },
}
EXIT_ICONS = {"RECYCLED": "undo-2", "DISQUALIFIED": "ban", "LOST": "circle-x"}


@dataclass(frozen=True)
class Figure:
    """A number that opens the list of what it counts."""

    label: str
    count: int
    url: str
    note: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Visitors:
    """What stands before the funnel: how many were first seen, and the leads that came of them."""

    count: int
    leads: Figure


@dataclass(frozen=True)
class FunnelStep:
    """One column of the funnel; ``before`` is the count that its fill is a share of."""

    figure: Figure
    before: int
    basis: int
    basis_label: str
    median_time: timedelta | None
    skipped: Figure
    is_first: bool


@dataclass(frozen=True)
class FunnelLine:
    """One row of the table below the funnel."""

    label: str
    figures: Sequence[Figure]
    basis: int
    won: int
    average: float | None

    @property
    def share(self) -> float:
        """Return the part won, 0 to 1."""
        return self.won / self.basis if self.basis else 0.0


def funnel_steps(question: FunnelQuestion, whole: FunnelRow) -> list[FunnelStep]:
    """Return the columns of the funnel, each with its link."""
    steps = list(whole.reached)
    result, before = [], whole.reached[steps[0]]
    for step in steps:
        count = whole.reached[step]
        result.append(
            FunnelStep(
                figure=_figure(question, step, count, note=STEP_NOTES[step]),
                before=before,
                basis=whole.reached[steps[0]],
                basis_label="MQLs" if steps[0] == "MQL" else "leads",
                median_time=whole.median_time.get(step),
                skipped=_figure(question, f"{SKIPPED}{step}", whole.skipped[step]),
                is_first=step == steps[0],
            )
        )
        before = count
    return result


def funnel_visitors(question: FunnelQuestion) -> Visitors | None:
    """Return how many visitors were first seen, and the leads that came of them.

    None where the funnel begins with MQLs, counts cycles, or nobody is tracked.
    """
    if question.basis == "MQL" or question.unit is Unit.CYCLES:
        return None
    seen = first_seen(question.period)
    if not seen.visitors:
        return None
    return Visitors(seen.visitors, _figure(question, CAME_OF_VISITOR, seen.leads))


def funnel_exits(question: FunnelQuestion, whole: FunnelRow) -> list[Figure]:
    """Return the side exits, overrides and what is still in work."""
    exits = [_figure(question, name, whole.exits[name], icon=EXIT_ICONS[name]) for name in EXITS]
    exits.append(_figure(question, OVERRIDDEN, whole.overridden, icon="fast-forward"))
    if not question.is_flow:  # who is in work is no move
        exits.append(_figure(question, OPEN, whole.in_progress, icon="hourglass"))
    return exits


def funnel_lines(
    question: FunnelQuestion, whole: FunnelRow, parts: Sequence[FunnelRow]
) -> list[FunnelLine]:
    """Return the rows: the largest first, months in order."""
    average = _won_share(whole)
    rows = (
        sorted(parts, key=lambda part: part.key or "") if question.split is Split.MONTH else parts
    )
    labels = _labels(question.split, [row.key or "" for row in rows])
    return [_line(question, row, labels[row.key or ""], average) for row in rows]


def _labels(split: Split, keys: Sequence[str]) -> Mapping[str, str]:
    if split is Split.MONTH:
        return {key: month_label(key) for key in keys}
    return part_labels(split, keys)


def split_note(question: FunnelQuestion) -> str:
    """Return what the split goes by, where its name does not say it."""
    return _SPLIT_NOTES.get(question.split, {}).get(question.unit, "")


def _line(
    question: FunnelQuestion, row: FunnelRow, label: str, average: float | None
) -> FunnelLine:
    key = row.key or ""
    by_month = question.split is Split.MONTH
    period = _month_within(question.period, key) if by_month else question.period
    part = () if by_month else (key, question.split)
    figures = [
        _figure(question, step, count, period=period, part=part)
        for step, count in row.reached.items()
    ]
    basis = next(iter(row.reached.values()))
    return FunnelLine(label, figures, basis, row.reached["WON"], average)


def _figure(
    question: FunnelQuestion,
    step: str,
    count: int,
    *,
    period: Period | None = None,
    part: tuple[str, Split] | tuple[()] = (),
    note: str = "",
    icon: str = "",
) -> Figure:
    opened = Slice(question.basis, period or question.period, step, question.unit, *part)
    return Figure(opened.step_words, count, opened.url, note, icon)


def month_label(key: str) -> str:
    """Return ``2026-05`` as ``May 2026``."""
    return f"{date.fromisoformat(f'{key}-01'):%b %Y}"


def _month_within(period: Period, key: str) -> Period:
    """Return the days of a month that lie in ``period``."""
    first = date.fromisoformat(f"{key}-01")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Period(max(first, period.first), min(following - timedelta(days=1), period.last))


def _won_share(row: FunnelRow) -> float | None:
    basis = next(iter(row.reached.values()))
    return row.reached["WON"] / basis if basis else None


def funnel_choices(path: str, question: FunnelQuestion) -> dict[str, list[Link]]:
    """Return the switches of the funnel by what they change: the way, the cohort, unit and split.

    The flow has no cohort. A split opens where it shows: at the table.
    """
    cohort = COHORTS[-1] if question.is_flow else question.basis
    offered = {
        "way": ("basis", question.basis, {cohort: "Cohort", FLOW: "Flow"}),
        "cohort": ("basis", question.basis, {} if question.is_flow else _COHORTS),
        "unit": ("unit", question.unit.value, {"people": "People", "cycles": "Cycles"}),
        "split": ("split", question.split.value, _SPLITS),
    }
    places = {"split": "#rows"}
    return {
        name: [Link(label, f"{path}?{question.query(**{key: value})}{places.get(name, '')}",
                    value == current) for value, label in labels.items()]
        for name, (key, current, labels) in offered.items()
    }  # fmt: skip
