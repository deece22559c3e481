"""What a promise came to: shares and attempts of a period, each opening its handoffs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.http import urlencode

from crm.common.period import Period
from crm.reports.outcomes import Outcome
from crm.reports.standing import By, Sample, Scope, Standing
from crm.reports.sums import Slot
from crm.reports.tally import Tally
from handoff.enums import ClockKind

FEWEST = 10


@dataclass(frozen=True)
class Promise:
    """One promise with what came of it; ``is_kept`` is None while too little is known.

    ``asked`` is empty where nobody agreed on anything. ``url`` lists what the figure counts,
    ``sample_url`` what it is a part of, where that is more.
    """

    label: str
    figure: str
    sample: str
    asked: str
    url: str
    is_kept: bool | None
    sample_url: str = ""


@dataclass(frozen=True)
class Course:
    """A period and what its handoffs came to, by their clocks of the verdict and the touch."""

    period: Period
    list_url: str
    verdicts: Tally
    touches: Tally

    def url(self, kind: ClockKind, **more: str) -> str:
        """Return the list of the handoffs that a figure counts."""
        query = urlencode({**self.period.parameters, "kind": kind.value, **more})
        return f"{self.list_url}?{query}"


def course_of(
    period: Period, list_url: str, *, only: Mapping[By, str] | None = None, now: datetime
) -> Course:
    """Return what became of the handoffs of a period, narrowed to ``only``.

    ``list_url`` lists them: it is not told what they are narrowed to.
    """

    def tally(kind: ClockKind, *slots: Slot) -> Tally:
        return Tally(Scope(kind, period.start, period.end, only or {}), slots, now=now)

    return Course(
        period,
        list_url,
        verdicts=tally(ClockKind.VERDICT, Slot.ALL, Slot.OUTCOME, Slot.ATTEMPTS),
        touches=tally(ClockKind.FIRST_TOUCH, Slot.ALL),
    )


def share_kept(
    label: str, course: Course, part: Outcome, whole: Outcome, goal: int | None
) -> Promise:
    """Return which percentage of ``whole`` was ``part``; ``goal`` is None without an agreement."""
    found = course.verdicts
    counts = found.came_to(part), found.came_to(whole)
    urls = [course.url(ClockKind.VERDICT, outcome=each.value) for each in (part, whole)]
    return _percent(label, counts, urls, goal)


def kept_in_time(label: str, course: Course, kind: ClockKind, goal: int | None) -> Promise:
    """Return which percentage of what fell due was in time: verdicts, or first touches."""
    found = course.verdicts if kind is ClockKind.VERDICT else course.touches
    counts = found.kept, found.kept + found.late
    urls = [course.url(kind, standing=each.value) for each in (Standing.ON_TIME, Sample.DUE)]
    return _percent(label, counts, urls, goal)


def attempts_made(course: Course, owed: int | None) -> Promise:
    """Return how often somebody was tried before they were given up; ``owed`` is agreed on."""
    found = course.verdicts
    leads = found.came_to(Outcome.GIVEN_UP)
    made = sum(times * number for times, number in found.attempts.items())
    mean = made / leads if leads else None
    is_known = mean is not None and owed is not None and leads >= FEWEST
    return Promise(
        label="Attempts before giving up",
        figure="–" if mean is None else f"{mean:.1f}",
        sample=f"n = {leads:,}",
        asked="" if owed is None else f"at least {owed}",
        url=course.url(ClockKind.VERDICT, outcome=Outcome.GIVEN_UP.value),
        is_kept=made >= (owed or 0) * leads if is_known else None,
    )


def _percent(label: str, counts: tuple[int, int], urls: Sequence[str], goal: int | None) -> Promise:
    """Return a share of a whole, each with its rows; of under ten the counts, and no verdict."""
    (part, whole), (url, sample_url) = counts, urls
    asked = "" if goal is None else f"at least {goal} %"
    is_kept = None if goal is None or whole < FEWEST else 100 * part >= goal * whole
    is_share = whole >= FEWEST
    return Promise(
        label,
        figure=f"{100 * part / whole:.1f} %" if is_share else f"{part}",
        sample=f"n = {whole:,}" if is_share else f"of {whole}",
        asked=asked,
        url=url,
        is_kept=is_kept,
        sample_url=sample_url,
    )
