"""What a salesperson reads before the call: composed once at the handoff, then frozen. Pure.

Everything in it is text, whole numbers, lists or mappings, so that its digest is the same whoever
reads it back from wherever.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engagement.enums import EventKind

LONGEST_WHY = 200
MOST_REASONS = 4
MOST_ACTS = 5

#: Acts by which a buyer asks for sales; newest first, they are the offer that was accepted.
BUYING_ACTS = (
    EventKind.DEMO_REQUEST,
    EventKind.CONSULTATION_REQUEST,
    EventKind.TRIAL_START,
    EventKind.PRICING_REQUEST,
)

_WORDS = {
    EventKind.PAGE_VIEW: "Viewed",
    EventKind.DOWNLOAD: "Downloaded",
    EventKind.FORM_SUBMIT: "Submitted",
    EventKind.WEBINAR_REGISTERED: "Registered for",
    EventKind.WEBINAR_ATTENDED: "Attended",
    EventKind.WEBINAR_NO_SHOW: "Missed",
    EventKind.EMAIL_OPEN: "Opened",
    EventKind.EMAIL_CLICK: "Clicked in",
}
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
    asset: str = ""

    @property
    def title(self) -> str:
        """Return the act in words: ``Downloaded Kolbe case study``, ``Asked for a demo``."""
        if self.asset and self.kind in _WORDS:
            return f"{_WORDS[self.kind]} {self.asset}"
        return f"{self.kind.label}: {self.asset}" if self.asset else self.kind.label


def suggested_opening(acts: Sequence[Act]) -> str:
    """Return a first sentence for the call: about the newest buying act, else the newest act.

    Args:
        acts: Newest first.
    """
    for act in sorted(acts, key=lambda each: each.kind not in BUYING_ACTS):
        words = _OPENINGS.get(act.kind)
        if words and (act.asset or "{asset}" not in words):
            return words.format(asset=act.asset)
    return _NO_ACT_OPENING


def why_line(acts: Sequence[Act], reasons: Sequence[str], rule: str) -> str:
    """Return the queue's one line: the newest buying act, the strongest reasons or the rule."""
    buying = next((act.title for act in acts if act.kind in BUYING_ACTS), "")
    words = buying or " and ".join(reasons[:2]) or rule
    return (
        words if len(words) <= LONGEST_WHY else f"{words[: LONGEST_WHY - 1]}\N{HORIZONTAL ELLIPSIS}"
    )


def digest(brief: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of the brief in its canonical form."""
    canonical = json.dumps(brief, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
