"""From a suggestion to a rule in the document of a model. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import count
from typing import Any

from crm.common.criteria import CriteriaInvalid, parse, sentence
from engagement.enums import EventKind, FunnelStage
from scoring.diff import meaning
from scoring.quality.candidates import Candidate
from scoring.quality.results import Suggestion

#: What the rules that ship with Baton mostly have.
HALF_LIFE_DAYS = 30
#: Longest label of a rule.
_LONGEST = 80


def is_covered(candidate: Candidate, document: Mapping[str, Any]) -> bool:
    """Return whether a rule of the model asks for just this already."""
    if candidate.match is not None:
        asked = meaning(candidate.match)
        return any(meaning(rule.get("match")) == asked for rule in _engagement_rules(document))
    return any(leaf == candidate.criteria or _holds(leaf, candidate) for leaf in _leaves(document))


def _holds(leaf: Mapping[str, Any], candidate: Candidate) -> bool:
    """Return whether a leaf asks for the value among others."""
    asked = candidate.criteria or {}
    value, values = asked["value"], leaf.get("value")
    is_alike = leaf.get("field") == asked["field"] and leaf.get("op") == asked["op"]
    return is_alike and isinstance(value, list) and isinstance(values, list) and value[0] in values


def label_of(suggestion: Suggestion) -> str:
    """Return what the rule is called: ``Asked for a price``, ``Title contains head``."""
    if suggestion.match is None:
        return _printable(_criteria_words(suggestion.criteria or {}))
    match = suggestion.match
    parts = [EventKind(match["kind"]).label]
    if stage := match.get("funnel_stage"):
        parts.append(FunnelStage(stage).label.lower())
    parts += [match[key] for key in ("asset", "name") if match.get(key)]
    if test := match.get("property"):
        parts.append(f"{test['name']} is {test['equals']}")
    return _printable(": ".join([parts[0], ", ".join(parts[1:])]) if parts[1:] else parts[0])


def _criteria_words(tree: Mapping[str, Any]) -> str:
    try:
        return sentence(parse(dict(tree)))
    except CriteriaInvalid:
        return f"{tree['field']} {tree['op']} {tree['value']}"


def _printable(text: str) -> str:
    told = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(told.split())[:_LONGEST].rstrip()


def with_suggestion(document: Mapping[str, Any], suggestion: Suggestion) -> dict[str, Any]:
    """Return the document with the suggested rule in it.

    A rule for acts joins the group that knows acts of that kind, else the one with the largest cap;
    a rule of fit joins every persona, as what it asks for speaks for all of them.
    """
    changed = deepcopy(dict(document))
    label, points = label_of(suggestion), suggestion.points // 10
    if suggestion.match is not None:
        group = _group_for(changed, suggestion.match["kind"])
        group["rules"].append(
            {
                "label": _unused(label, {rule["label"] for rule in _engagement_rules(changed)}),
                "match": dict(suggestion.match),
                "points": points,
                "cap": abs(points),
                "half_life_days": HALF_LIFE_DAYS,
            }
        )
    else:
        personas = changed["fit"].setdefault("personas", [])
        for persona in personas or _first_persona(personas):
            rule = {"label": label, "criteria": dict(suggestion.criteria or {}), "points": points}
            persona["rules"].append(rule)
    return changed


def _group_for(document: Mapping[str, Any], kind: str) -> dict[str, Any]:
    groups = document["engagement"]["groups"]
    alike = (group for group in groups if any(_kind(rule) == kind for rule in group["rules"]))
    largest: dict[str, Any] = max(groups, key=lambda group: group["cap"])
    return next(alike, largest)


def _first_persona(personas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    personas.append({"name": "Everybody", "rules": []})
    return personas


def _unused(label: str, taken: set[str]) -> str:
    names = (label if i == 1 else f"{label[: _LONGEST - 4]} {i}" for i in count(1))
    return next(name for name in names if name not in taken)


def _kind(rule: Mapping[str, Any]) -> str:
    return str(rule["match"].get("kind", ""))


def _engagement_rules(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for group in document["engagement"]["groups"]:
        yield from group["rules"]


def _leaves(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Go through what the rules of fit ask."""
    for persona in document["fit"].get("personas", []):
        for rule in persona["rules"]:
            yield from _leaves_of(rule["criteria"])


def _leaves_of(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "field" in tree:
        yield tree
    for parts in (tree.get("all", []), tree.get("any", []), [tree["not"]] if "not" in tree else []):
        for part in parts:
            yield from _leaves_of(part)
