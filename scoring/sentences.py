"""Rules of a scoring model as sentences, in parts of which some can be edited. Writes nothing.

Everything is read from the document itself, so that a draft that is still faulty can be read too:
what is missing is an ellipsis, what makes no sense is shown as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from crm.common.criteria import CriteriaInvalid, parse, sentence
from engagement.enums import EventKind, FunnelStage

Document = Mapping[str, Any]
MISSING = "\N{HORIZONTAL ELLIPSIS}"
_KIND, _ASSET, _STAGE, _NAME = "match.kind", "match.asset", "match.funnel_stage", "match.name"


class Part(NamedTuple):
    """Words of a sentence; ``field`` is the value of the rule that they stand for, such as ``cap``.

    Words without a field only join the others.
    """

    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A rule in words: what it is about, and what it gives."""

    what: tuple[Part, ...]
    terms: tuple[Part, ...] = ()

    def __str__(self) -> str:
        """Return it as one line."""
        what, terms = words(self.what), words(self.terms)
        return f"{what}: {terms}" if terms else what


class _Verb(NamedTuple):
    """How an act reads: ``Views``, ``page``, ``pages``; without nouns it has no object."""

    verb: str
    noun: str = ""
    nouns: str = ""


_ANY_ACT = _Verb("Uses", "asset", "assets")
_VERBS = {
    EventKind.PAGE_VIEW: _Verb("Views", "page", "pages"),
    EventKind.PAGE_READ: _Verb("Reads", "page", "pages"),
    EventKind.DOWNLOAD: _Verb("Downloads", "asset", "assets"),
    EventKind.FORM_SUBMIT: _Verb("Submits", "form", "forms"),
    EventKind.NEWSLETTER_SIGNUP: _Verb("Signs up for the newsletter"),
    EventKind.WEBINAR_REGISTERED: _Verb("Registers for", "webinar", "webinars"),
    EventKind.WEBINAR_ATTENDED: _Verb("Attends", "webinar", "webinars"),
    EventKind.WEBINAR_NO_SHOW: _Verb("Misses", "webinar", "webinars"),
    EventKind.EMAIL_OPEN: _Verb("Opens", "e-mail", "e-mails"),
    EventKind.EMAIL_CLICK: _Verb("Clicks in", "e-mail", "e-mails"),
    EventKind.UNSUBSCRIBE: _Verb("Unsubscribes"),
    EventKind.DEMO_REQUEST: _Verb("Asks for a demo"),
    EventKind.TRIAL_START: _Verb("Starts a trial"),
    EventKind.CONSULTATION_REQUEST: _Verb("Asks for a consultation"),
    EventKind.PRICING_REQUEST: _Verb("Asks for a price"),
    EventKind.PROMOTION_ACCEPTED: _Verb("Accepts a promotion"),
    EventKind.LINK_CLICK: _Verb("Follows a link to another site"),
    EventKind.IDENTIFY: _Verb("Identifies"),
    EventKind.CUSTOM: _Verb("Sends", "custom event", "custom events"),
}
_STAGES: dict[str, str] = {
    FunnelStage.TOFU: "top-of-funnel",
    FunnelStage.MOFU: "middle-of-funnel",
    FunnelStage.BOFU: "bottom-of-funnel",
}


def words(parts: tuple[Part, ...]) -> str:
    """Return parts as plain text."""
    return "".join(part.text for part in parts)


def engagement_rule(rule: Document, assets: Mapping[str, str] | None = None) -> Sentence:
    """Say "Downloads any bottom-of-funnel asset: +15, once per asset, at most 30, ...".

    ``assets`` are the names of assets by their slug; without its name an asset is its slug.
    """
    return Sentence(tuple(_act(rule, assets or {})), (*_points(rule), *_limits(rule)))


def fit_rule(rule: Document) -> Sentence:
    """Say "Country is Germany: +20"."""
    return Sentence(
        (Part(criteria_words(rule.get("criteria")), "criteria"),),
        (Part(signed(rule.get("points")), "points"),),
    )


def group(group: Document) -> Sentence:
    """Say "Product pages: cap 50, floor -30"."""
    floor = group.get("floor")
    below = (Part(", floor "), Part(number(floor), "floor")) if floor else ()
    cap = (Part("cap "), Part(number(group.get("cap")), "cap"))
    return Sentence((Part(_text(group.get("name")), "name"),), (*cap, *below))


def cell(code: str) -> Sentence:
    """Say "Cell C2: makes an MQL"."""
    return Sentence((Part(f"Cell {code}"),), (Part("makes an MQL"),))


def fast_track(act: Document) -> Sentence:
    """Say "Asks for a demo: MQL at once, shortest response time"."""
    shortest = act.get("shortest_tier", True)
    tier = "shortest response time" if shortest else "usual response time"
    kind = Part(_verb_of(act.get("kind")).verb, "kind")
    return Sentence((kind,), (Part("MQL at once, "), Part(tier, "shortest_tier")))


def condition(condition: Document) -> Sentence:
    """Say a blocking condition or a disqualifier: "Existing customer: Stage is Won"."""
    key = "reason" if "reason" in condition else "label"
    criteria = Part(criteria_words(condition.get("criteria")), "criteria")
    return Sentence((Part(_text(condition.get(key)), key),), (criteria,))


def criteria_words(tree: Any) -> str:
    """Say a tree of criteria, also one that can no longer be read."""
    if tree in (None, {}):
        return MISSING
    try:
        return sentence(parse(tree))
    except CriteriaInvalid:
        return "criteria that cannot be read"


def number(value: Any) -> str:
    """Return points, days or times without needless decimals, and with a true minus sign."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _text(value)
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def signed(value: Any) -> str:
    """Return points with their sign."""
    is_positive = isinstance(value, int | float) and value > 0
    return f"+{number(value)}" if is_positive else number(value)


def _text(value: Any) -> str:
    return MISSING if value in (None, "") else str(value)


def _quoted(value: Any) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{_text(value)}\N{RIGHT DOUBLE QUOTATION MARK}"


def _mapping(value: Any) -> Document:
    return value if isinstance(value, dict) else {}


def _verb_of(kind: Any) -> _Verb:
    if kind in EventKind.values:
        return _VERBS.get(EventKind(kind), _Verb(EventKind(kind).label))
    return _ANY_ACT if kind in (None, "") else _Verb(str(kind))


def _act(rule: Document, assets: Mapping[str, str]) -> Iterator[Part]:
    match, repeat = _mapping(rule.get("match")), _mapping(rule.get("repeat"))
    verb = _verb_of(match.get("kind"))
    yield Part(verb.verb, _KIND)
    yield from _object(verb, match, repeat, assets)
    if name := match.get("name"):
        yield from (Part(" called "), Part(_quoted(name), _NAME))
    if "property" in match:
        yield from _property(_mapping(match["property"]))
    if repeat and not repeat.get("different_assets"):
        yield from (Part(" "), Part(f"{number(repeat.get('times'))} times", "repeat.times"))
    if repeat:
        days = Part(_days(repeat.get("days")), "repeat.days")
        yield from (Part(" in "), days)


def _object(
    verb: _Verb, match: Document, repeat: Document, assets: Mapping[str, str]
) -> Iterator[Part]:
    """Say on what: ``any bottom-of-funnel page``, ``2 different pages``, the name of an asset."""
    asset, stage = match.get("asset"), match.get("funnel_stage")
    if not (verb.noun or asset or stage or repeat.get("different_assets")):
        return
    yield Part(" " if verb.noun else " with ")
    if asset:
        yield Part(_quoted(assets.get(str(asset), asset)), _ASSET)
        return
    noun, nouns = verb.noun or "asset", verb.nouns or "assets"
    if repeat.get("different_assets"):
        yield from (Part(f"{number(repeat.get('times'))} different", "repeat.times"), Part(" "))
        noun = nouns
    else:
        yield Part("any ")
    level = _STAGES.get(str(stage), str(stage)) + " " if stage else ""
    yield Part(f"{level}{noun}", _STAGE)


def _property(test: Document) -> Iterator[Part]:
    """Say ``with depth of at least 3``; seconds are a time."""
    field = "match.property"
    name, least = test.get("name"), test.get("at_least")
    if name == "seconds" and least is not None:
        yield from (Part(" for at least "), Part(f"{number(least)} seconds", field))
    elif least is not None:
        yield from (Part(f" with {_text(name)} of at least "), Part(number(least), field))
    else:
        yield from (Part(f" with {_text(name)} "), Part(_value(test.get("equals")), field))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value)


def _points(rule: Document) -> Iterator[Part]:
    """Say ``+8 each time``; what is given once says so."""
    yield Part(signed(rule.get("points")), "points")
    if rule.get("once_per_asset"):
        yield from (Part(", "), Part("once per asset", "counting"))
    elif rule.get("first_only"):
        yield from (Part(", "), Part("the first time only", "counting"))
    elif rule.get("repeat"):
        yield from (Part(", "), Part("once", "counting"))
    else:
        yield from (Part(" "), Part("each time", "counting"))


def _limits(rule: Document) -> Iterator[Part]:
    if (cap := rule.get("cap")) is not None:
        yield from (Part(", at most "), Part(number(cap), "cap"))
    half_life = rule.get("half_life_days")
    if half_life is None:
        yield from (Part(", "), Part("no half-life", "half_life_days"))
    else:
        yield from (Part(", half-life "), Part(_days(half_life), "half_life_days"))


def _days(value: Any) -> str:
    return f"{number(value)} day{'' if value == 1 else 's'}"
