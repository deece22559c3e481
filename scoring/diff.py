"""What two documents of a scoring model differ in, as sentences. Pure.

Documents may be faulty: parts that are not what they should be are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from scoring import sentences
from scoring.sentences import MISSING, Sentence, number, words

Document = Mapping[str, Any]


class Change(StrEnum):
    """What happened to a part of the model."""

    NEW = "new"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the later document differs.

    Attributes:
        kind: What happened to it.
        path: Where it is, such as ``engagement.groups[1].rules[0]``: in the later document, or in
            the earlier one if it was removed.
        sentence: The difference in words.
        hint: What it was in few words, for the margin of the rule: ``was cap 20``.
        touches_mql: Whether it changes the MQL definition, which both teams sign.
    """

    kind: Change
    path: str
    sentence: str
    hint: str = ""
    touches_mql: bool = False


class _Item(NamedTuple):
    """A named part of a document; ``home`` is the name of the persona or group that holds it."""

    name: str
    path: str
    body: Document
    home: str = ""


@dataclass(frozen=True)
class _Noun:
    """A kind of part: how it is called, named and said, and what it may leave out."""

    label: str
    path: str
    key: str
    say: Callable[[Document], Sentence]
    defaults: Document
    inner: _Noun | None = None
    is_mql: bool = False
    is_named: bool = True  # by people, who can rename it
    is_ordered: bool = True


class _Value(NamedTuple):
    """A single value: its path, its words, and what stands for it when it is left out."""

    path: str
    label: str
    default: Any = None
    is_mql: bool = False


Pairs = Sequence[tuple[_Item, _Item]]

_RULE = _Noun("Rule", "rules", "label", sentences.engagement_rule, {"cap": 100})
_FIT_RULE = _Noun("Fit rule", "rules", "label", sentences.fit_rule, {})
_NOUNS = (
    _Noun("Group", "engagement.groups", "name", sentences.group, {"floor": 0}, _RULE),
    _Noun("Persona", "fit.personas", "name", lambda _: Sentence(()), {}, _FIT_RULE),
    _Noun("Disqualifier", "disqualifiers", "reason", sentences.condition, {}),
    _Noun(
        "Fast track", "mql.fast_track", "kind", sentences.fast_track, {"shortest_tier": True},
        is_mql=True, is_named=False, is_ordered=False,
    ),
    _Noun(
        "Blocking condition", "mql.blocking", "label", sentences.condition, {},
        is_mql=True, is_ordered=False,
    ),
)  # fmt: skip
_VALUES = (
    _Value("fit.base", "Fit of whom nothing is known", 50),
    *(_Value(f"fit.grades.{grade}", f"Grade {grade}, from a fit of") for grade in "ABC"),
    *(_Value(f"engagement.levels.{it}", f"Level {it}, from an engagement of") for it in "123"),
    _Value("review_percent", "Share of disqualified leads that is reviewed, in percent", 10),
    _Value("mql.fast_track_days", "Days for which a fast track counts", 30, is_mql=True),
)
#: How a value is called in a hint; the others stand for themselves.
_HINTS = {"cap": "cap ", "floor": "floor ", "half_life_days": "half-life "}


def differences(before: Any, after: Any) -> list[Difference]:
    """Return in what ``after`` differs from ``before``, in the order of the editor.

    A part under another name whose body is the same was renamed. Another way to write the same,
    such as leaving out what is a default, is no difference.
    """
    found: list[Difference] = []
    for noun in _NOUNS:
        parts = [[*_parts(document, noun.path, noun)] for document in (before, after)]
        found += _compared(noun, *parts)
    return [*found, *_cells(before, after), *_values(before, after)]


def same_mql_definition(before: Any, after: Any) -> bool:
    """Return whether both mean the same by an MQL: cells, fast-track acts, blocking conditions.

    What a condition is called does not matter, nor do points and thresholds: they say how good a
    lead is, not which grades make an MQL.
    """
    return not any(each.touches_mql for each in differences(before, after))


def _at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _parts(document: Any, path: str, noun: _Noun) -> Iterator[_Item]:
    """Go through the objects of a list."""
    found = _at(document, path)
    for place, body in enumerate(found if isinstance(found, list) else []):
        if isinstance(body, Mapping):
            yield _Item(str(body.get(noun.key, MISSING)), f"{path}[{place}]", body)


def _rules_of(items: Sequence[_Item], inner: _Noun, homes: Mapping[str, str]) -> list[_Item]:
    """Return the rules of all personas or groups; ``homes`` says how each was called before."""
    return [
        rule._replace(path=f"{item.path}.{rule.path}", home=homes.get(item.name, item.name))
        for item in items
        for rule in _parts(item.body, inner.path, inner)
    ]


def _compared(noun: _Noun, before: Sequence[_Item], after: Sequence[_Item]) -> Iterator[Difference]:
    pairs, removed, new = _paired(noun, before, after)
    for old, item in pairs:
        yield from _changes(noun, old, item)
    for item in new:
        yield Difference(Change.NEW, item.path, f"New {_told(noun, item)}", "new", noun.is_mql)
    for item in removed:
        told = f"Removed {_told(noun, item)}"
        yield Difference(Change.REMOVED, item.path, told, touches_mql=noun.is_mql)
    if noun.is_ordered:
        yield from _reordered(noun, pairs, before, after)
    if noun.inner:
        homes = {item.name: old.name for old, item in pairs}
        rules = (_rules_of(before, noun.inner, {}), _rules_of(after, noun.inner, homes))
        yield from _compared(noun.inner, *rules)


def _paired(
    noun: _Noun, before: Sequence[_Item], after: Sequence[_Item]
) -> tuple[Pairs, Sequence[_Item], Sequence[_Item]]:
    """Pair parts by place and name, then by name, then by what they say; and name the rest."""
    pairs: list[tuple[_Item, _Item]] = []
    for sign in (_place, _name, *([_core(noun)] if noun.is_named else [])):
        kept = []
        for item in after:
            old = next((each for each in before if sign(each) == sign(item)), None)
            if old is None:
                kept.append(item)
            else:
                before = [each for each in before if each is not old]
                pairs.append((old, item))
        after = kept
    return pairs, before, after


def _place(item: _Item) -> Any:
    return item.home, item.name


def _name(item: _Item) -> Any:
    return item.name


def _core(noun: _Noun) -> Callable[[_Item], Any]:
    """Return what tells a part that was renamed: its body, of one with rules their names."""
    inner = noun.inner
    if inner is None:
        return lambda item: meaning({**_plain(noun, item.body), noun.key: ""})
    return lambda item: {rule.name for rule in _parts(item.body, inner.path, inner)} or item.path


def _plain(noun: _Noun, body: Document) -> Document:
    """Return a body without what may be left out."""
    match = body.get("match")
    if isinstance(match, Mapping):
        body = {**body, "match": {key: value for key, value in match.items() if not _is_no(value)}}
    return {key: value for key, value in body.items() if not _goes_without(noun, key, value)}


def _goes_without(noun: _Noun, key: str, value: Any) -> bool:
    """Return whether a value says what leaving it out says: false does not where yes is usual."""
    if value is None or value == "":
        return True
    return meaning(value) == meaning(noun.defaults.get(key, False))


def _is_no(value: Any) -> bool:
    return value is None or value is False or value == ""


def meaning(value: Any) -> Hashable:
    """Return what a value of a document says: the same for 5 and 5.0, another for 1 and true."""
    if isinstance(value, Mapping):
        return frozenset((key, meaning(each)) for key, each in value.items())
    if isinstance(value, list):
        return tuple(map(meaning, value))
    return isinstance(value, bool), value


def _said(noun: _Noun, item: _Item) -> Sentence:
    """Return a part in words, without its name."""
    said = noun.say(_plain(noun, item.body))
    return Sentence(tuple(part for part in said.what if part.field != noun.key), said.terms)


def _called(noun: _Noun, name: str) -> str:
    """Return a part by its name; a fast track by what the lead does."""
    if not noun.is_named:
        name = words(noun.say({noun.key: name}).what)
    return f"{noun.label} \N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"


def _told(noun: _Noun, item: _Item) -> str:
    called, said = _called(noun, item.name), _said(noun, item)
    told = ": ".join(filter(None, (called, words(said.what), words(said.terms))))
    return f"{told[0].lower()}{told[1:]}"


def _changes(noun: _Noun, old: _Item, item: _Item) -> Iterator[Difference]:
    """Tell of one part that stayed: its name, its place and every value that changed."""
    before, after = (_values_said(_said(noun, each)) for each in (old, item))
    changed = {
        field: (after.get(field, "none"), before.get(field, "none"))
        for field in {**after, **before}
        if after.get(field) != before.get(field)
    }
    told = [f"{_HINTS.get(field, '')}{now}, was {was}" for field, (now, was) in changed.items()]
    hints = [f"{_HINTS.get(field, '')}{was}" for field, (_, was) in changed.items() if field]
    if not changed and noun.inner is None and _core(noun)(old) != _core(noun)(item):
        told.append("written otherwise")
    is_mql = noun.is_mql and bool(told)
    if old.home != item.home:
        told.insert(0, f"moved from {old.home} to {item.home}")
    if old.name != item.name:
        told.insert(0, f"called {item.name} now")
        hints.insert(0, old.name)
    if told:
        hint = f"was {', '.join(hints)}" if hints else "changed"
        sentence = f"{_called(noun, old.name)}: {'; '.join(told)}"
        yield Difference(Change.CHANGED, item.path, sentence, hint, is_mql)


def _values_said(said: Sentence) -> dict[str, str]:
    """Return the words of each value; what the lead does goes under no name."""
    terms = {part.field: part.text for part in said.terms if part.field}
    return {"": words(said.what), **terms}


def _reordered(
    noun: _Noun, pairs: Pairs, before: Sequence[_Item], after: Sequence[_Item]
) -> Iterator[Difference]:
    """Tell where parts that stayed in their place stand in another order; the first may win."""
    names = {id(item): old for old, item in pairs if old.home == item.home}
    stayed = [names[id(item)] for item in after if id(item) in names]
    for home in dict.fromkeys(old.home for old in stayed):
        now = [id(old) for old in stayed if old.home == home]
        then = [id(old) for old in before if id(old) in now]
        if now != then:
            path = next(item.path for old, item in pairs if old.home == home).rpartition("[")[0]
            where = f"{noun.label}s of {home}" if home else f"{noun.label}s"
            yield Difference(Change.CHANGED, path, f"{where} are in another order", "moved")


def _cells(before: Any, after: Any) -> Iterator[Difference]:
    old, new = _codes(before), _codes(after)
    for code in sorted(old ^ new):
        is_new = code in new
        verb, kind = ("New", Change.NEW) if is_new else ("Removed", Change.REMOVED)
        said = sentences.cell(code)
        yield Difference(
            kind, "mql.cells", f"{verb} cell {code}: {words(said.terms)}", str(kind), True
        )


def _codes(document: Any) -> set[str]:
    found = _at(document, "mql.cells")
    return {code for code in found if isinstance(code, str)} if isinstance(found, list) else set()


def _values(before: Any, after: Any) -> Iterator[Difference]:
    for value in _VALUES:
        old, new = (_value(document, value) for document in (before, after))
        if old != new:
            sentence = f"{value.label} {new}, was {old}"
            yield Difference(Change.CHANGED, value.path, sentence, f"was {old}", value.is_mql)


def _value(document: Any, value: _Value) -> str:
    found = _at(document, value.path)
    return number(value.default if found is None else found)
