"""Reading and checking the JSON document of a scoring model. Every fault is named with its path."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from crm.common.criteria import Criteria, CriteriaInvalid, leaves, parse
from engagement.enums import EventKind, FunnelStage
from scoring.certainty import UNREADABLE, moves_with_time
from scoring.definition.node import Node, Problem
from scoring.definition.rules import (
    GRADES,
    LEVELS,
    SCALE,
    Condition,
    Counting,
    Definition,
    EngagementGroup,
    EngagementRule,
    FastTrack,
    FitRule,
    Match,
    Persona,
    PropertyTest,
    PropertyValue,
    Repeat,
)

MOST_RULES = 100
REVIEW_PERCENT = 10  # of disqualified leads, unless a model says otherwise
MOST_LEAST = 1_000_000_000  # of a number that a property must reach
SCORE_GROUP = "Score"  # criteria fields that ask for the score itself
_CELLS = frozenset(f"{grade}{level}" for grade in GRADES for level in LEVELS)
_COUNTINGS = ("once_per_asset", "first_only")
_NOTHING_KNOWN = 500  # a lead of which nothing is known is in the middle


class DefinitionInvalid(Exception):
    """A document is no scoring model; ``problems`` says where and why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Compose one message from all problems."""
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def parse_definition(document: Any, *, was_valid: bool = False) -> Definition:
    """Return the scoring model that ``document`` describes.

    Args:
        document: the JSON document.
        was_valid: whether it was checked when it was published. What its criteria ask for can be
            gone since: such a rule is unknown then, and ``Definition.unreadable`` names it.

    Raises:
        DefinitionInvalid: naming every fault, such as ``engagement.groups[0].rules[2].cap``.
    """
    definition, problems = read_definition(document)
    if not all(was_valid and problem.is_of_criteria for problem in problems):
        raise DefinitionInvalid(problems)
    return replace(definition, unreadable=tuple(map(str, problems)))


def read_definition(document: Any) -> tuple[Definition, tuple[Problem, ...]]:
    """Return what can be read of a document, and every fault of it.

    What cannot be used is replaced by something harmless: good to be shown beside its faults, not
    to score by.
    """
    problems: list[Problem] = []
    definition = _definition(Node(document, "", problems))
    _check_whole(definition, problems)
    return definition, tuple(problems)


def _definition(root: Node) -> Definition:
    fit, engagement, mql = (root.child(key) for key in ("fit", "engagement", "mql"))
    definition = Definition(
        personas=tuple(_persona(node) for node in fit.children("personas")),
        fit_base=fit.tenths("base", default=_NOTHING_KNOWN, least=0, most=SCALE),
        grades=_thresholds(fit, "grades", GRADES[:3]),
        groups=tuple(_group(node) for node in engagement.children("groups")),
        levels=_thresholds(engagement, "levels", [str(level) for level in LEVELS[:3]]),
        cells=_cells(mql),
        fast_track=tuple(_fast_track(node) for node in mql.children("fast_track")),
        fast_track_within=timedelta(days=mql.whole("fast_track_days", 30, least=1, most=365)),
        blocking=tuple(_condition(node, "label") for node in mql.children("blocking")),
        disqualifiers=tuple(_condition(node, "reason") for node in root.children("disqualifiers")),
        review_percent=root.whole("review_percent", REVIEW_PERCENT, least=0, most=100),
    )
    for node in (fit, engagement, mql, root):
        node.refuse_the_rest()
    return _with_movement(definition)


def _with_movement(definition: Definition) -> Definition:
    """Mark a model whose fit, blocks or disqualifiers can change by time alone."""
    return replace(definition, moves_with_time=any(map(moves_with_time, _all_criteria(definition))))


def _all_criteria(definition: Definition) -> Iterable[Criteria]:
    for persona in definition.personas:
        yield from (rule.criteria for rule in persona.rules)
    for condition in (*definition.blocking, *definition.disqualifiers):
        yield condition.criteria


def _persona(node: Node) -> Persona:
    name = node.text("name", longest=60)
    rules = tuple(_fit_rule(child) for child in node.children("rules"))
    if not rules:
        node.fault("rules", "needs at least one rule")
    node.refuse_the_rest()
    return Persona(name, rules)


def _fit_rule(node: Node) -> FitRule:
    rule = FitRule(
        label=node.text("label", longest=80),
        criteria=_criteria(node),
        points=node.tenths("points", least=-SCALE, most=SCALE),
    )
    if rule.points == 0:
        node.fault("points", "must not be 0: the rule would do nothing")
    node.refuse_the_rest()
    return rule


def _condition(node: Node, key: str) -> Condition:
    condition = Condition(label=node.text(key, longest=120), criteria=_criteria(node))
    node.refuse_the_rest()
    return condition


def _criteria(node: Node) -> Criteria:
    """Return the criteria of a rule: at least one condition, and none that asks for the score."""
    tree = node.take("criteria")
    if tree in (None, {}):
        node.fault("criteria", "needs at least one condition")
        return Criteria(None)
    try:
        criteria = parse(tree)
    except CriteriaInvalid as error:
        for path, sentence in error.problems:
            node.fault(f"criteria.{path}" if path else "criteria", sentence)
        return UNREADABLE
    for leaf in leaves(criteria):
        if leaf.field.group == SCORE_GROUP:
            node.fault("criteria", f"asks for {leaf.field.label}, which follows from this model")
    return criteria


def _group(node: Node) -> EngagementGroup:
    group = EngagementGroup(
        name=node.text("name", longest=60),
        cap=node.tenths("cap", least=1, most=SCALE),
        floor=node.tenths("floor", default=0, least=-SCALE, most=0),
        rules=tuple(_engagement_rule(child) for child in node.children("rules")),
    )
    if not group.rules:
        node.fault("rules", "needs at least one rule")
    node.refuse_the_rest()
    return group


def _engagement_rule(node: Node) -> EngagementRule:
    rule = EngagementRule(
        label=node.text("label", longest=80),
        match=_match(node.child("match")),
        points=node.tenths("points", least=-SCALE, most=SCALE),
        cap=node.tenths("cap", default=SCALE, least=1, most=SCALE),
        half_life=_half_life(node),
        counting=_counting(node),
        repeat=_repeat(node.child("repeat")) if node.has("repeat") else None,
    )
    if rule.points == 0:
        node.fault("points", "must not be 0: the rule would do nothing")
    if abs(rule.points) > rule.cap:
        node.fault("cap", "is below the points of one act")
    if rule.repeat and rule.counting is Counting.ONCE_PER_ASSET:
        node.fault("once_per_asset", "does not go with repeat, which counts once anyway")
    node.refuse_the_rest()
    return rule


def _half_life(node: Node) -> timedelta | None:
    days = node.number("half_life_days")
    if days is None:
        return None
    if not 1 <= days <= 3650:
        node.fault("half_life_days", "must be 1 to 3650 days; leave it out for what never fades")
        return None
    return timedelta(days=float(days))


def _counting(node: Node) -> Counting:
    once_per_asset, first_only = (node.boolean(key) for key in _COUNTINGS)
    if once_per_asset and first_only:
        node.fault("first_only", "does not go with once_per_asset: only one act would count")
    if first_only:
        return Counting.FIRST
    return Counting.ONCE_PER_ASSET if once_per_asset else Counting.EVERY


def _repeat(node: Node) -> Repeat:
    repeat = Repeat(
        times=node.whole("times", least=2, most=100),
        within=timedelta(days=node.whole("days", least=1, most=365)),
        different_assets=node.boolean("different_assets"),
    )
    node.refuse_the_rest()
    return repeat


def _match(node: Node) -> Match:
    match = Match(
        kind=node.choice("kind", EventKind),
        asset=node.text("asset", longest=100, optional=True),
        funnel_stage=node.choice("funnel_stage", FunnelStage),
        name=node.text("name", longest=200, optional=True),
        property=_property(node.child("property")) if node.has("property") else None,
    )
    if node.is_object and match == Match():
        node.fault("", "needs a kind, asset, funnel_stage, name or property")
    node.refuse_the_rest()
    return match


def _property(node: Node) -> PropertyTest:
    name = node.text("name", longest=100)
    is_least = node.has("at_least")
    value = _least(node) if is_least else _equal(node)
    if is_least and node.has("equals"):
        node.fault("at_least", "does not go with equals, which names one value")
        node.take("equals")
    node.refuse_the_rest()
    return PropertyTest(name, value, is_least)


def _least(node: Node) -> float:
    least = node.number("at_least")
    if least is not None and abs(least) > MOST_LEAST:
        node.fault("at_least", f"must be a number up to {MOST_LEAST:,}")
        return 0.0
    return float(least or 0)


def _equal(node: Node) -> PropertyValue:
    value: PropertyValue | None = node.take("equals")
    if value is None or not _is_plain(value):
        node.fault("equals", "needs a text, a number or true or false")
        return ""
    return value


def _is_plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) or (isinstance(value, str) and value.isprintable())


def _thresholds(parent: Node, key: str, names: Sequence[str]) -> tuple[int, int, int]:
    """Return three falling thresholds in tenths, on whole points as lists show them."""
    node = parent.child(key)
    first, second, third = (10 * node.whole(name, least=1, most=100) for name in names)
    if node.is_object and not first > second > third:
        node.fault("", f"must fall from {names[0]} to {names[2]}")
    node.refuse_the_rest()
    return first, second, third


def _cells(mql: Node) -> frozenset[str]:
    cells = mql.take("cells", [])
    if not isinstance(cells, list) or not all(isinstance(cell, str) for cell in cells):
        mql.fault("cells", "needs a list of cells such as A1")
        return frozenset()
    for cell in sorted(set(cells) - _CELLS):
        mql.fault("cells", f"does not know {cell[:20]!r}; cells go from A1 to D4")
    return frozenset(cells)


def _fast_track(node: Node) -> FastTrack:
    act = FastTrack(
        kind=node.choice("kind", EventKind, required=True) or EventKind.DEMO_REQUEST,
        shortest_tier=node.boolean("shortest_tier", default=True),
    )
    node.refuse_the_rest()
    return act


class _Named(NamedTuple):
    path: str
    names: Sequence[str]


def _check_whole(definition: Definition, problems: list[Problem]) -> None:
    """Check what no part can see alone."""
    _check_names(definition, problems)
    if not definition.groups:
        problems.append(Problem("engagement.groups", "is empty: no act would ever count"))
    if len(definition.rules) > MOST_RULES:
        problems.append(Problem("engagement.groups", f"holds more than {MOST_RULES} rules"))
    if sum(group.cap for group in definition.groups) > SCALE:
        problems.append(Problem("engagement.groups", "has caps of more than 100 points together"))
    if definition.cells and not definition.personas:
        problems.append(Problem("fit.personas", "is empty: nobody would reach a cell of the grid"))
    if not definition.cells and not definition.fast_track:
        problems.append(Problem("mql", "names no cell and no fast-track act: no lead would be one"))


def _check_names(definition: Definition, problems: list[Problem]) -> None:
    """Names stand for their rule in lists, explanations and comparisons: each is used once."""
    everything = [
        _Named("fit.personas", [persona.name for persona in definition.personas]),
        _Named("engagement.groups", [group.name for group in definition.groups]),
        _Named("engagement.groups", [rule.label for rule in definition.rules]),
        _Named("mql.fast_track", [act.kind for act in definition.fast_track]),
        _Named("mql.blocking", [condition.label for condition in definition.blocking]),
        _Named("disqualifiers", [condition.label for condition in definition.disqualifiers]),
    ]
    for path, names in everything:
        for name, count in Counter(names).items():
            if count > 1 and name:
                problems.append(Problem(path, f"says {str(name)!r} twice"))
