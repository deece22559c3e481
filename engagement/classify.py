"""Who caused an event: a person, a machine, or nobody can tell. Pure.

Only what a person did scores, so a machine must say that it is one, and doubt is its own answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from engagement.enums import Actor

#: Words in the user agent of crawlers, link scanners, previews, monitors and plain HTTP clients.
#: Our choice, 2026-11; ``bot`` alone would hit the Cubot phones.
_ROBOT = re.compile(
    r"(?:[a-z]*bot)\b(?<!cubot)|crawl|spider|slurp|scan(?:ner|ning)|headless|phantomjs|lighthouse"
    r"|preview|facebookexternalhit|whatsapp|embedly|pingdom|uptime|statuscake|monitor"
    r"|curl/|wget/|python-requests|python-urllib|aiohttp|httpx|okhttp|go-http-client|java/"
    r"|libwww|axios/|node-fetch|guzzle|barracuda|mimecast|proofpoint|safelinks",
    re.IGNORECASE,
)
#: What a mail privacy proxy sends for an open that nobody may have seen.
_BARE_AGENTS = frozenset({"", "Mozilla/5.0"})
_SPECULATIVE = frozenset({"prefetch", "prerender", "preview"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who caused an event, and by what we know; no reason is needed for a person."""

    actor: Actor
    reason: str = ""


_HUMAN = Verdict(Actor.HUMAN)
_UNSAID = Verdict(Actor.UNKNOWN, "The browser does not say what it is")


@lru_cache(maxsize=4096)
def classify(*, user_agent: str | None, purpose: str = "") -> Verdict:
    """Return who caused an event.

    Args:
        user_agent: as the browser sent it; None when a server reported the event itself, which it
            does for people.
        purpose: the value of ``Sec-Purpose`` or its forerunners; browsers that load ahead say so.
    """
    if _SPECULATIVE & set(re.findall(r"[a-z]+", purpose.lower())):
        return Verdict(Actor.MACHINE, "Loaded ahead by the browser")
    if user_agent is None:
        return _HUMAN
    if user_agent.strip() in _BARE_AGENTS:
        return _UNSAID
    robot = _ROBOT.search(user_agent)
    if robot:
        return Verdict(Actor.MACHINE, f"Known robot: {robot[0].lower().rstrip('/')}"[:100])
    return _HUMAN
