"""The fit rule in plain Python, to read and to hold the fit query against. Pure.

It answers criteria from a mapping of what is known of a lead, by the names of the criteria's
fields; what is not known is missing there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm.common.criteria import Criteria, Op
from crm.common.criteria.tree import Group, Leaf
from scoring.definition import SCALE, Condition, Definition, Persona

Known = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model makes of a lead: fit in tenths, None while it was not evaluated."""

    fit: int | None
    persona: str
    grade: str
    cell: str
    blocked_by: str
    disqualified_by: str
    meets_definition: bool


def judge(definition: Definition, known: Known, *, engagement: int) -> Judgement:
    """Return what the model makes of a lead with so much engagement, in tenths."""
    fit, persona = _best(definition, known)
    cell = definition.cell(fit, engagement)
    blocked_by = _first(definition.blocking, known)
    disqualified_by = _first(definition.disqualifiers, known)
    return Judgement(
        fit=fit,
        persona=persona,
        grade=definition.grade(fit),
        cell=cell,
        blocked_by=blocked_by,
        disqualified_by=disqualified_by,
        meets_definition=cell in definition.cells and not blocked_by and not disqualified_by,
    )


def answer(criteria: Criteria, known: Known) -> bool | None:
    """Return whether a lead fits, None when what is known does not tell."""
    return _answer(criteria.root, known) if criteria.root else True


def _best(definition: Definition, known: Known) -> tuple[int | None, str]:
    """Return the fit with the persona that fits best, of equals the first."""
    fits = [(_fit(definition, persona, known), persona.name) for persona in definition.personas]
    evaluated = [(fit, name) for fit, name in fits if fit is not None]
    return max(evaluated, key=lambda each: each[0]) if evaluated else (None, "")


def _fit(definition: Definition, persona: Persona, known: Known) -> int | None:
    answers = [answer(rule.criteria, known) for rule in persona.rules]
    if all(each is None for each in answers):
        return None
    points = sum(rule.points for rule, fits in zip(persona.rules, answers, strict=True) if fits)
    return min(max(definition.fit_base + points, 0), SCALE)


def _first(conditions: Sequence[Condition], known: Known) -> str:
    """Return the label of the first condition that is known to hold."""
    return next((each.label for each in conditions if answer(each.criteria, known)), "")


def _answer(node: Leaf | Group, known: Known) -> bool | None:
    if isinstance(node, Leaf):
        return _compare(node, known.get(node.field.name))
    answers = [_answer(part, known) for part in node.parts]
    if node.how == "not":
        return None if answers[0] is None else not answers[0]
    decides = node.how == "any"  # one such answer decides, whatever the others would say
    return decides if decides in answers else None if None in answers else not decides


def _compare(leaf: Leaf, given: Any) -> bool | None:
    if leaf.op in (Op.IS_SET, Op.IS_EMPTY):
        return (given is not None) is (leaf.op is Op.IS_SET)
    return None if given is None else _COMPARISONS[leaf.op](_folded(given), _folded(leaf.value))


def _folded(value: Any) -> Any:
    """Return a text without its case, which no comparison looks at."""
    return value.lower() if isinstance(value, str) else value


_COMPARISONS: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.IS: lambda given, asked: given == asked,
    Op.IS_NOT: lambda given, asked: given != asked,
    Op.IN: lambda given, asked: given in map(_folded, asked),
    Op.NOT_IN: lambda given, asked: given not in map(_folded, asked),
    Op.CONTAINS: lambda given, asked: asked in given,
    Op.STARTS_WITH: lambda given, asked: given.startswith(asked),
    Op.AT_LEAST: lambda given, asked: given >= asked,
    Op.AT_MOST: lambda given, asked: given <= asked,
}
