"""What needs a manager's decision at this moment. Reads only; every figure opens its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse

from crm.accounts.models import User
from crm.common.paging import estimate_count
from crm.common.ui import words
from crm.reports.pages import Kpi
from crm.reports.questions import sla_question
from crm.reports.sla_output import figures
from handoff.enums import Approval
from handoff.models import Clock, Excuse, Handoff, Touch
from handoff.services import waiting_figure
from handoff.team import UNASSIGNED, Line, TeamQuestion, lines_of

#: Of each kind on the page; its head opens all. Our choice: what fits beside each other.
MOST_SHOWN = 5
_MOST_PEOPLE = 10
_NEXT_DUE_FIRST = ("due_at", "id")


@dataclass(frozen=True, slots=True)
class Section:
    """Open handoffs that wait for the same decision: how many, all of them, the first few."""

    title: str
    icon: str
    tone: str
    figure: str
    url: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Behind:
    """One rep with handoffs that are late or at risk; ``share`` is of who has most, 0 to 1."""

    rep: User | None
    late: int
    at_risk: int
    share: float
    query: str


@dataclass(frozen=True, slots=True)
class Today:
    """Everything the page shows."""

    figures: Sequence[Kpi]
    sections: Sequence[Section]
    refused: QuerySet[Handoff]
    excuses: QuerySet[Excuse]
    touches: QuerySet[Touch]
    behind: Sequence[Behind]

    @property
    def needs_a_decision(self) -> bool:
        """Say whether there is anything to decide; refusals are news, not a question."""
        return bool(self.sections or self.excuses or self.touches)


def load_today(*, now: datetime) -> Today:
    """Read what is late, at risk, unassigned, refused and to approve at ``now``.

    What is counted as refused and on time are the days of the zone that is active, the viewer's.
    """
    late = _section("Late", "octagon-alert", "is-bad", TeamQuestion(clock="late"), now)
    at_risk = _section("At risk", "triangle-alert", "is-risk", TeamQuestion(clock="at_risk"), now)
    pool = _section("Unassigned", "layers", "", TeamQuestion(holder=UNASSIGNED), now)
    refused = Handoff.objects.refused(now).order_by("-closed_at", "-id")
    pending = {"approval": Approval.PENDING}
    excuses = Excuse.objects.filter(**pending).order_by("asked_at", "id")
    touches = Touch.objects.filter(**pending).order_by("recorded_at", "id")
    return Today(
        figures=_figures([late, at_risk, pool], str(estimate_count(refused)), now),
        sections=[each for each in (late, at_risk, pool) if each.lines],
        refused=refused.select_related("lead", "holder").defer("brief")[:MOST_SHOWN],
        excuses=excuses.select_related("clock__handoff__lead", "asked_by").defer(
            "clock__handoff__brief"
        )[:MOST_SHOWN],
        touches=touches.select_related("handoff__lead", "rep").defer("handoff__brief")[:MOST_SHOWN],
        behind=_behind(now),
    )


def _section(title: str, icon: str, tone: str, question: TeamQuestion, now: datetime) -> Section:
    clocks = question.clocks(now)
    return Section(
        title=title,
        icon=icon,
        tone=tone,
        figure=str(estimate_count(clocks)),
        url=f"{reverse('handoff:team')}?{question.query()}",
        lines=lines_of(clocks.order_by(*_NEXT_DUE_FIRST)[:MOST_SHOWN], now=now),
    )


def _figures(sections: Sequence[Section], refused: str, now: datetime) -> list[Kpi]:
    late, at_risk, pool = sections
    return [
        Kpi(late.title, late.figure, url=late.url, note="past a deadline",
            **_verdict(late, "bad", "Act now")),
        Kpi(at_risk.title, at_risk.figure, url=at_risk.url, note="25 % of the time left, or less",
            **_verdict(at_risk, "risk", "Due soon")),
        Kpi(pool.title, pool.figure, url=pool.url, note="in nobody's hands",
            **_verdict(pool, "risk", "Assign")),
        Kpi("Refused", refused, url=reverse("handoff:refused"), note="by sales in 7 days"),
        Kpi("To approve", waiting_figure() or "0", url=reverse("handoff:to_approve"),
            note="excuses, late evidence"),
        _on_time(now),
    ]  # fmt: skip


def _verdict(section: Section, state: str, words: str) -> dict[str, str]:
    """Return what to say of a figure: nothing to do when it is 0."""
    return (
        {"state": state, "verdict": words} if section.lines else {"state": "ok", "verdict": "None"}
    )


def _on_time(now: datetime) -> Kpi:
    """Return how many first touches of today's handoffs were in time, of those due."""
    question = sla_question({"period": "today"}, now=now)
    row = figures(question, now=now).whole
    return Kpi(
        "On time today",
        words.percent(row.on_time, row.due) if row.due else "–",
        note=f"first touches, {row.due} due" if row.due else "no first touch was due yet",
        url=f"{reverse('reports:sla')}?{question.query()}",
    )


def _behind(now: datetime) -> list[Behind]:
    """Return who holds what is late or at risk, most of it first."""
    clocks = Clock.objects.running().filter(at_risk_at__lte=now, handoff__closed_at__isnull=True)
    late = Count("handoff", distinct=True, filter=Q(due_at__lt=now))
    counts = (
        clocks.values(holder=F("handoff__holder"))
        .annotate(late=late, all=Count("handoff", distinct=True))
        .order_by("-late", "-all", "holder")[:_MOST_PEOPLE]
    )
    people = User.objects.in_bulk([each["holder"] for each in counts if each["holder"]])
    most = max((each["all"] for each in counts), default=1)
    return [
        Behind(
            rep=people.get(each["holder"]),
            late=each["late"],
            at_risk=each["all"] - each["late"],
            share=each["all"] / most,
            query=TeamQuestion(holder=str(each["holder"] or UNASSIGNED)).query(),
        )
        for each in counts
    ]
