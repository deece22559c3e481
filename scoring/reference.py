"""The engagement rule in plain Python, to read and to hold the score query against. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from scoring.definition import Counting, Definition, EngagementRule, Match, PropertyTest, Repeat
from scoring.points import line_value, total, weight


@dataclass(frozen=True, slots=True)
class Act:
    """One event of a lead, as far as scoring looks at it."""

    kind: str
    occurred_at: datetime
    received_at: datetime
    asset: str = ""
    funnel_stage: str = ""
    name: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    is_human: bool = True


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What each rule gave, in the order of ``Definition.rules``, and the score; in tenths."""

    counts: tuple[int, ...]
    lines: tuple[int, ...]
    score: int


def reckon(
    definition: Definition,
    acts: Sequence[Act],
    *,
    as_of: datetime,
    known_at: datetime | None = None,
    since: datetime | None = None,
) -> Reckoning:
    """Return the engagement of a lead from acts after ``since`` up to ``as_of``.

    Only what had been received at ``known_at`` (by default ``as_of``) counts.
    """
    counted = sorted(
        (
            # in UTC: between two times of one zone Python subtracts the wall clocks
            replace(act, occurred_at=act.occurred_at.astimezone(UTC))
            for act in acts
            if act.is_human
            and act.occurred_at <= as_of
            and act.received_at <= (known_at or as_of)
            and (since is None or act.occurred_at > since)
        ),
        key=lambda act: act.occurred_at,
    )
    as_of = as_of.astimezone(UTC)
    chosen = [
        _chosen(rule, [a for a in counted if fits(rule.match, a)]) for rule in definition.rules
    ]
    lines = [
        line_value(rule, rule.points * sum(weight(as_of - at, rule.half_life) for at in moments))
        for rule, moments in zip(definition.rules, chosen, strict=True)
    ]
    return Reckoning(
        counts=tuple(len(moments) for moments in chosen),
        lines=tuple(lines),
        score=total(definition, lines),
    )


def fits(match: Match, act: Act) -> bool:
    """Return whether everything a match names agrees with the act."""
    return (
        (match.kind is None or match.kind == act.kind)
        and (not match.asset or match.asset == act.asset)
        and (match.funnel_stage is None or match.funnel_stage == act.funnel_stage)
        and (not match.name or match.name == act.name)
        and (match.property is None or _has_property(act, match.property))
    )


def _has_property(act: Act, test: PropertyTest) -> bool:
    given, asked = act.properties.get(test.name), test.value
    if test.is_least:
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        return is_number and given >= asked  # type: ignore[operator]  # both are numbers
    return given == asked and isinstance(given, bool) is isinstance(asked, bool)


def _chosen(rule: EngagementRule, acts: Sequence[Act]) -> list[datetime]:
    """Return the moments that give points, from acts in order of time."""
    moments = _completions(rule.repeat, acts) if rule.repeat else [act.occurred_at for act in acts]
    if rule.counting is Counting.FIRST:
        return moments[:1]
    if rule.repeat:
        return moments[-1:]
    if rule.counting is Counting.ONCE_PER_ASSET:
        return list({act.asset: act.occurred_at for act in acts}.values())
    return moments


def _completions(repeat: Repeat, acts: Sequence[Act]) -> list[datetime]:
    """Return when, with each act, enough of them had happened within the span."""
    if repeat.different_assets:
        acts = [act for act in acts if act.asset]
    completed = []
    for act in acts:
        recent = [
            other
            for other in acts
            if act.occurred_at - repeat.within < other.occurred_at <= act.occurred_at
        ]
        done = len({other.asset for other in recent}) if repeat.different_assets else len(recent)
        if done >= repeat.times:
            completed.append(act.occurred_at)
    return completed
