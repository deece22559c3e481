"""Parts of the compliance page: what it is narrowed to, where time went, and week by week."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crm.accounts.models import SalesTeam, User
from crm.common.ui.line_chart import LineChart, Scale, line_chart
from crm.common.ui.spans import ClockSegment
from crm.reports.compliance import ComplianceRow, TimeSpent, labels_of
from crm.reports.pages import FEWEST
from crm.reports.questions import SlaQuestion
from crm.reports.standing import By
from handoff.models import Agreement, SlaTier

_NARROWING = (By.TEAM, By.REP, By.TIER, By.SOURCE, By.VERSION)


@dataclass(frozen=True)
class Chip:
    """One filter: ``url`` takes it away; without a ``value`` it leads to the rows to choose.

    ``options`` are the keys and names to choose among at once, where those are few.
    """

    name: str
    value: str
    url: str
    options: Sequence[tuple[str, str]] = ()


def filter_chips(path: str, question: SlaQuestion) -> Sequence[Chip]:
    """Return the filters of the page, those that are set first."""
    chips = [_chip(path, question, by) for by in _NARROWING]
    return sorted(chips, key=lambda chip: not chip.value)


def _chip(path: str, question: SlaQuestion, by: By) -> Chip:
    key = question.only.get(by)
    if key is None:
        rows = f"{path}?{question.query(by=by.value)}#rows"
        return Chip(by.value, "", rows, _OPTIONS[by]() if by in _OPTIONS else ())
    return Chip(by.value, labels_of(by, [key])[key], f"{path}?{question.query(**{by.value: ''})}")


def _teams() -> list[tuple[str, str]]:
    teams = SalesTeam.objects.order_by("name", "id").values_list("pk", "name")
    return [(str(pk), name) for pk, name in teams]


def _reps() -> list[tuple[str, str]]:
    reps = User.objects.reps().order_by("full_name", "id").values_list("pk", "full_name")
    return [(str(pk), name) for pk, name in reps]


def _tiers() -> list[tuple[str, str]]:
    names = SlaTier.objects.order_by("name").values_list("name", flat=True).distinct()
    return [(name, name) for name in names]


def _versions() -> list[tuple[str, str]]:
    versions = Agreement.objects.signed().order_by("-version").values_list("version", flat=True)
    return [(str(version), f"Version {version}") for version in versions]


#: Sources may be thousands: they are chosen among the rows.
_OPTIONS: Mapping[By, Callable[[], list[tuple[str, str]]]] = {
    By.TEAM: _teams,
    By.REP: _reps,
    By.TIER: _tiers,
    By.VERSION: _versions,
}


def split_segments(split: TimeSpent) -> list[ClockSegment]:
    """Return the accounts of a period one after the other, as the split clock is drawn."""
    segments, at = [], datetime(2000, 1, 1, tzinfo=UTC)
    for kind, span in split.spent.items():
        segments.append(ClockSegment(kind, at, at + span))
        at += span
    return segments


def week_chart(
    question: SlaQuestion, rows: Sequence[ComplianceRow], *, goal: int | None
) -> LineChart:
    """Return the chart of the share kept per week; weeks with a small sample stay empty.

    The line of the agreement is drawn when it sets a ``goal``.
    """
    shares = [
        round(row.share * 100, 1) if row.share is not None and row.due >= FEWEST else None
        for row in rows
    ]
    against = f", against the agreed {goal} percent" if goal else ""
    return line_chart(
        [row.label for row in rows],
        shares,
        scale=Scale(0, 100, " %"),
        goal=(goal, f"agreed {goal}") if goal else None,
        sentence=f"Share of {question.kind.label.lower()} clocks kept per week{against}",
    )
