"""A scoring model as frozen objects. Pure.

All points, caps, floors and thresholds are whole tenths of a point, so that lines add up exactly;
``SCALE`` is 100 points. Groups keep the order in which they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from functools import cached_property

from crm.common.criteria import Criteria
from engagement.enums import EventKind, FunnelStage

SCALE = 1000
GRADES = ("A", "B", "C", "D")
LEVELS = (1, 2, 3, 4)

PropertyValue = str | int | float | bool


class Counting(Enum):
    """Which of the acts that fit a rule give points."""

    EVERY = "every"
    ONCE_PER_ASSET = "once_per_asset"  # the latest act on each asset: doing it again renews it
    FIRST = "first"  # the first act of the cycle only


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """What a property of an act must be: ``value``, or with ``is_least`` a number from there on.

    True and 1 are different answers, 1 and 1.0 are the same. A text is never a number.
    """

    name: str
    value: PropertyValue
    is_least: bool = False
    _is_boolean: bool = field(init=False, repr=False)  # Python takes True for equal to 1

    def __post_init__(self) -> None:
        """Make tests for True and for 1 unequal."""
        object.__setattr__(self, "_is_boolean", isinstance(self.value, bool))


@dataclass(frozen=True, slots=True)
class Match:
    """Which acts fit a rule: all that is named must agree; at least one thing is named."""

    kind: EventKind | None = None
    asset: str = ""
    funnel_stage: FunnelStage | None = None
    name: str = ""
    property: PropertyTest | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """Points for doing it ``times`` times, or on so many different assets, within a span.

    They are given once, dated by the latest act that completed such a run (by the earliest with
    ``Counting.FIRST``). The span is half-open: an act exactly ``within`` ago is out.
    """

    times: int
    within: timedelta
    different_assets: bool = False


@dataclass(frozen=True, slots=True)
class EngagementRule:
    """Points for acts of one kind.

    Each act is worth ``points`` when it happens and half of that after every ``half_life``; None
    never fades. The sum of the acts stays within plus or minus ``cap``.
    """

    label: str
    match: Match
    points: int
    cap: int
    half_life: timedelta | None = None
    counting: Counting = Counting.EVERY
    repeat: Repeat | None = None


@dataclass(frozen=True, slots=True)
class EngagementGroup:
    """Rules whose lines together stay within ``floor`` (0 or below) and ``cap``."""

    name: str
    cap: int
    rules: tuple[EngagementRule, ...]
    floor: int = 0


@dataclass(frozen=True)
class FitRule:
    """Points for what is known of a lead; they count 0 when it is not known."""

    label: str
    criteria: Criteria
    points: int


@dataclass(frozen=True)
class Persona:
    """An ideal-customer profile. Its fit starts at ``Definition.fit_base``."""

    name: str
    rules: tuple[FitRule, ...]


@dataclass(frozen=True, slots=True)
class FastTrack:
    """A buying act that makes an MQL at once; with ``shortest_tier`` in the fast-track tier."""

    kind: EventKind
    shortest_tier: bool = True


@dataclass(frozen=True)
class Condition:
    """A named set of leads: a disqualifier by its reason, a blocking condition by its label."""

    label: str
    criteria: Criteria


@dataclass(frozen=True, eq=False)
class Definition:
    """One scoring model. Each is its own key: what is worked out from one is kept with it.

    Attributes:
        personas: in order; of two that fit equally well the first wins.
        fit_base: what a persona starts from when nothing is known, in tenths.
        grades: the least fit for A, B and C, in tenths, falling; below is D.
        groups: the engagement rules; the caps together are at most ``SCALE``.
        levels: the least engagement for level 1, 2 and 3, in tenths, falling; below is 4.
        cells: the grid cells of the MQL definition, such as ``A1``.
        fast_track: acts that make an MQL without the grid.
        fast_track_within: how long such an act counts.
        blocking: leads that do not become MQL, whatever they score.
        disqualifiers: leads that are out, before anything else.
        review_percent: how many of a hundred disqualified leads a marketer reviews.
        moves_with_time: whether criteria of the model ask for relative dates or recent acts.
        unreadable: why which rules can no longer be read; they count nothing and bar nobody.
    """

    personas: tuple[Persona, ...]
    fit_base: int
    grades: tuple[int, int, int]
    groups: tuple[EngagementGroup, ...]
    levels: tuple[int, int, int]
    cells: frozenset[str]
    fast_track: tuple[FastTrack, ...] = ()
    fast_track_within: timedelta = timedelta(days=30)
    blocking: tuple[Condition, ...] = ()
    disqualifiers: tuple[Condition, ...] = ()
    review_percent: int = 0
    moves_with_time: bool = False
    unreadable: tuple[str, ...] = ()

    @cached_property
    def rules(self) -> tuple[EngagementRule, ...]:
        """Return the engagement rules of all groups; their place here is the rule's number."""
        return tuple(rule for group in self.groups for rule in group.rules)

    def numbered_groups(self) -> Iterator[tuple[EngagementGroup, range]]:
        """Go through the groups with the numbers of their rules."""
        start = 0
        for group in self.groups:
            yield group, range(start, start + len(group.rules))
            start += len(group.rules)

    def grade(self, fit: int | None) -> str:
        """Return A to D for a fit in tenths, nothing when it was not evaluated."""
        if fit is None:
            return ""
        return GRADES[sum(fit < least for least in self.grades)]

    def level(self, engagement: int) -> int:
        """Return 1 (highest) to 4 for an engagement in tenths."""
        return LEVELS[sum(engagement < least for least in self.levels)]

    def cell(self, fit: int | None, engagement: int) -> str:
        """Return the grid cell, nothing when fit was not evaluated."""
        return f"{self.grade(fit)}{self.level(engagement)}" if fit is not None else ""
