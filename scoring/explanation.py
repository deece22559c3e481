"""How a score came about, in lines that anybody can add up. Pure: made from what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from scoring.definition import (
    GRADES,
    LEVELS,
    SCALE,
    Counting,
    Definition,
    EngagementGroup,
    EngagementRule,
    Persona,
)
from scoring.points import group_value, line_value


@dataclass(frozen=True, slots=True)
class Line:
    """One reason of a score and what it gave, in points with one decimal.

    ``rule`` is the label of the rule behind it, empty for limits and the start. ``is_known`` is
    False for a fit rule whose attribute is not known: it counts nothing.
    """

    text: str
    points: Decimal
    how: str = ""
    group: str = ""
    is_known: bool = True
    rule: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the score query found for one lead: per rule the sum in tenths, the acts, the last."""

    amounts: Sequence[float]
    counts: Sequence[int]
    moments: Sequence[datetime | None]


@dataclass(frozen=True)
class Explanation:
    """The score of one lead as of an instant, by what was known at another.

    ``fit_score`` is None when nothing that a persona asks for was known. ``gaps`` are the points
    that the persona would give for what the lead lacks or does not tell. ``acts_unknown`` counts
    acts that had happened by ``as_of`` but became known only after ``known_at``. ``unreadable``
    says which rules of the model count nothing because what they ask for is gone. ``counts_from``
    is when the lead was recycled last: acts before then count no more; None if it never was.
    ``held_back`` is the buying act that would be a fast track, had its offer not said otherwise.
    ``uncounted`` are lines of 0 for what never counts: events of machines, of nobody, of claims.
    """

    lead_id: int
    as_of: datetime
    known_at: datetime
    model_version: int
    definition: frozenset[str]
    engagement_score: Decimal
    engagement_level: int
    engagement_lines: tuple[Line, ...]
    fit_score: Decimal | None
    fit_grade: str
    persona: str
    fit_lines: tuple[Line, ...]
    gaps: tuple[str, ...]
    cell: str
    meets_definition: bool
    needs: str
    blocked_by: str
    disqualified_by: str
    fast_track: str
    changes_at: datetime | None
    drops_out_at: datetime | None
    acts_unknown: int
    unreadable: tuple[str, ...] = ()
    counts_from: datetime | None = None
    held_back: str = ""
    uncounted: tuple[Line, ...] = ()
    level_changes_at: datetime | None = None

    @property
    def standing(self) -> str:
        """Return where the lead stands to the MQL definition, in a few words."""
        if self.disqualified_by:
            return f"Disqualified: {self.disqualified_by}"
        if self.blocked_by:
            return f"Blocked: {self.blocked_by}"
        if self.fast_track:
            return f"Fast track: {self.fast_track}"
        return f"{'Inside' if self.meets_definition else 'Outside'} the MQL definition"

    def as_json(self) -> dict[str, Any]:
        """Return everything in types that JSON has: points as numbers, times in ISO 8601."""
        return {**_plain(asdict(self)), "standing": self.standing}


def engagement_lines(
    definition: Definition, evidence: Evidence, *, today: date
) -> tuple[Line, ...]:
    """Return the lines of engagement, the largest first, then what limits changed.

    Their sum is the score. ``today`` is the reader's day as of which the score is explained, and
    the moments of the evidence are in the reader's zone.
    """
    rules = definition.rules
    values = [line_value(rule, evidence.amounts[i]) for i, rule in enumerate(rules)]
    lines = [
        _rule_line(group, rules[i], values[i], i, evidence, today)
        for group, numbers in definition.numbered_groups()
        for i in numbers
        if evidence.counts[i]
    ]
    lines.sort(key=lambda line: -line.points)
    return (*lines, *_limits(definition, values))


def _rule_line(
    group: EngagementGroup,
    rule: EngagementRule,
    value: int,
    number: int,
    evidence: Evidence,
    today: date,
) -> Line:
    count, moment = evidence.counts[number], evidence.moments[number]
    reached = abs(evidence.amounts[number]) > rule.cap
    return Line(
        text=f"{rule.label}, {count:,} times" if count > 1 else rule.label,
        points=_points(value),
        how=", ".join(_how(rule, count, moment, reached=reached, today=today)),
        group=group.name,
        rule=rule.label,
    )


def _how(
    rule: EngagementRule, count: int, moment: datetime | None, *, reached: bool, today: date
) -> Iterator[str]:
    """Yield how a line came about: ``8 each``, ``cap 20 reached``, ``half-life 14 d``."""
    yield f"{_number(rule.points)}{' each' if count > 1 else ''}"
    if rule.counting is Counting.ONCE_PER_ASSET and count > 1:
        yield "once per asset"
    if moment:
        yield ("last " if count > 1 else "") + _days_ago(moment.date(), today)
    if reached:
        yield f"cap {_number(rule.cap)} reached"
    if rule.half_life:
        yield f"half-life {_number(10 * rule.half_life.total_seconds() / 86_400)} d"


def _days_ago(day: date, today: date) -> str:
    days = (today - day).days
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")


def _limits(definition: Definition, values: Sequence[int]) -> Iterator[Line]:
    """Yield a line for each limit of a group or of the score that changed the sum."""
    whole = 0
    for group, numbers in definition.numbered_groups():
        summed = sum(values[i] for i in numbers)
        given = group_value(group, [values[i] for i in numbers])
        whole += given
        if given != summed:
            limit = f"Over the limit of {_number(group.cap)}" if given < summed else (
                f"Under the limit of {_number(group.floor)}"
            )  # fmt: skip
            yield Line(f"{limit} for {group.name}", _points(given - summed), group=group.name)
    if whole < 0:
        yield Line("Engagement is never under 0", _points(-whole))


def fit_lines(
    definition: Definition, persona: Persona, answers: Sequence[int | None]
) -> tuple[Line, ...]:
    """Return the lines of fit: the neutral start, what fits, what is not known.

    ``answers`` are 1, 0 or None (not known) for the persona's rules. Their sum is the fit.
    """
    lines = [Line("Neutral start", _points(definition.fit_base))]
    told = zip(persona.rules, answers, strict=True)
    lines += [
        Line(rule.label, _points(rule.points), rule=rule.label) for rule, answer in told if answer
    ]
    unknown = [rule for rule, answer in zip(persona.rules, answers, strict=True) if answer is None]
    lines += [
        Line(f"{rule.label}: unknown", Decimal(0), is_known=False, rule=rule.label)
        for rule in unknown
    ]
    summed = 10 * sum(line.points for line in lines)
    limited = min(max(summed, 0), SCALE)
    if limited != summed:
        words = "over 100" if limited < summed else "under 0"
        lines.append(Line(f"Fit is never {words}", _points(int(limited - summed))))
    return tuple(lines)


def persona_gaps(persona: Persona, answers: Sequence[int | None]) -> tuple[str, ...]:
    """Return what the persona would give points for and does not find."""
    return tuple(
        rule.label
        for rule, answer in zip(persona.rules, answers, strict=True)
        if rule.points > 0 and not answer
    )


def needs(definition: Definition, fit: int | None, engagement: int) -> str:
    """Return what the lead's cell asks for, or what the nearest cell inside asks for.

    ``fit`` and ``engagement`` are tenths.
    """
    if fit is None:
        return "No grade while nothing is known of its fit"
    cell = definition.cell(fit, engagement)
    if cell in definition.cells:
        return f"{cell} needs {_demand(definition, cell)}"
    if not definition.cells:
        return "Only a buying act makes an MQL"
    nearest = min(
        sorted(definition.cells), key=lambda cell: _distance(definition, cell, fit, engagement)
    )
    return f"{nearest} is nearest and needs {_demand(definition, nearest)}"


def threshold(definition: Definition, cell: str) -> int:
    """Return the least engagement with which this grade is inside the definition, in tenths.

    For a grade that never is, or a lead without one, the least of level 2.
    """
    inside = [level for level in LEVELS if f"{cell[:1]}{level}" in definition.cells]
    return (*definition.levels, 0)[max(inside, default=2) - 1]


def _demand(definition: Definition, cell: str) -> str:
    fit, engagement = _least(definition, cell)
    parts = [
        f"fit {_number(fit)}" if fit else "",
        f"engagement {_number(engagement)}" if engagement else "",
    ]
    return " and ".join(part for part in parts if part) or "nothing more"


def _least(definition: Definition, cell: str) -> tuple[int, int]:
    """Return the least fit and engagement of a cell, in tenths."""
    grade, level = GRADES.index(cell[0]), LEVELS.index(int(cell[1]))
    return (*definition.grades, 0)[grade], (*definition.levels, 0)[level]


def _distance(definition: Definition, cell: str, fit: int, engagement: int) -> int:
    least_fit, least_engagement = _least(definition, cell)
    return max(least_fit - fit, 0) + max(least_engagement - engagement, 0)


def _points(tenths: int) -> Decimal:
    return Decimal(tenths).scaleb(-1)


def _number(tenths: float) -> str:
    """Return tenths as people write points: ``8``, ``0.5``."""
    return f"{tenths / 10:g}"


def _plain(value: Any) -> Any:
    """Return a value in types that JSON has."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime) else value
