"""What a salesperson reads before the call: composed once at the handoff, then frozen. Pure.

Everything in it is text, whole numbers, lists or mappings, so that its digest is the same whoever
reads it back from wherever.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from crm.common.ui.scores import ScoreLine
from engagement.enums import EventKind

LONGEST_WHY = 200
MOST_REASONS = 4
MOST_ACTS = 5

_OPENINGS = {
    EventKind.DEMO_REQUEST: "You asked for a demo. What would you like to see first?",
    EventKind.CONSULTATION_REQUEST: "You asked to talk it through. What made you ask now?",
    EventKind.TRIAL_START: "You started a trial. What should it show you before you decide?",
    EventKind.PRICING_REQUEST: "You asked for a price. What should it cover?",
    EventKind.WEBINAR_ATTENDED: "You attended {asset}. Which part of it was about you?",
    EventKind.DOWNLOAD: "You downloaded {asset}. What did you hope to find in it?",
    EventKind.PAGE_VIEW: "You looked at {asset}. What are you comparing it with?",
}
_NO_ACT_OPENING = "What made you look for something like this now?"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing the lead did; ``asset`` is the name of what it was done to, empty for nothing."""

    kind: EventKind
    at: datetime
    title: str
    asset: str = ""


def suggested_opening(acts: Sequence[Act]) -> str:
    """Return a first sentence for the call, about the first of ``acts`` that has one."""
    for act in acts:
        words = _OPENINGS.get(act.kind)
        if words and (act.asset or "{asset}" not in words):
            return words.format(asset=act.asset)
    return _NO_ACT_OPENING


def why_line(hand_raise: Act | None, reasons: Sequence[str], rule: str) -> str:
    """Return the queue's one line: the buying act, else the strongest reasons, else the rule."""
    words = (hand_raise.title if hand_raise else "") or _and(reasons[:2]) or rule
    return (
        words if len(words) <= LONGEST_WHY else f"{words[: LONGEST_WHY - 1]}\N{HORIZONTAL ELLIPSIS}"
    )


def _and(reasons: Sequence[str]) -> str:
    """Join two sentences' beginnings: ``Pricing page, 4 times and case study``."""
    later = [text[0].lower() + text[1:] if text[1:2].islower() else text for text in reasons[1:]]
    return " and ".join([*reasons[:1], *later])


@dataclass(frozen=True, slots=True)
class ReadableBrief:
    """A frozen brief as pages show it: times as times, score lines as score lines."""

    frozen_at: datetime
    digest: str
    contact: Mapping[str, str]
    opening: str
    reasons: Sequence[ScoreLine]
    engagement: str
    persona: str
    fit: str
    matches: Sequence[str]
    gaps: Sequence[str]
    acts: Sequence[Mapping[str, Any]]
    offer: Mapping[str, Any] | None
    open_questions: str
    model: int | None
    agreement: int | None


def readable(brief: Mapping[str, Any], brief_digest: str) -> ReadableBrief:
    """Return ``brief`` as pages show it; parts that an older brief lacks are empty."""
    score, fit = brief.get("score") or {}, brief.get("fit") or {}
    offer = brief.get("offer")
    return ReadableBrief(
        frozen_at=datetime.fromisoformat(brief["frozen_at"]),
        digest=brief_digest,
        contact=brief["contact"],
        opening=brief["opening"],
        reasons=[
            ScoreLine(line["text"], Decimal(line["value"]), line["how"])
            for line in score.get("lines", [])
        ],
        engagement=score.get("total", ""),
        persona=fit.get("persona", ""),
        fit=fit.get("total", ""),
        matches=fit.get("matches", []),
        gaps=fit.get("gaps", []),
        acts=[_with_time(act) for act in brief["acts"]],
        offer=_with_time(offer) if offer else None,
        open_questions=_joined(brief["open_questions"]),
        model=score.get("model"),
        agreement=brief.get("agreement"),
    )


def _with_time(act: Mapping[str, str]) -> dict[str, Any]:
    return {"title": act["title"], "at": datetime.fromisoformat(act["at"])}


def _joined(questions: Sequence[str]) -> str:
    words = [question.capitalize() for question in questions]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def digest(brief: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of the brief in its canonical form."""
    canonical = json.dumps(brief, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
