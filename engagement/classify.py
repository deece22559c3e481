"""Who caused an event: a person, a machine, or nobody can tell. Pure.

Only what a person did scores, so a machine must say that it is one, and doubt is its own answer.
What needs the neighbours of an event (all links of a mail within seconds) is decided where they
are, in ``services.machine_clicks``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import collapse_addresses, ip_address, ip_network
from typing import Any

from crawleruseragents import CRAWLER_PATTERNS, is_crawler

from engagement.enums import Actor, ActorRule

LONGEST_AGENT = 500
LONGEST_REASON = 100
#: What the list of known robots does not have (``crawler-user-agents`` 1.67 finds all its own 2,123
#: examples and none of 839 browsers): robots it never heard of, scanners of mail, what an office
#: program sends before the browser, and libraries. ``bot`` alone would hit the Cubot phones.
_ROBOT = re.compile(
    r"(?:[a-z]*bot)\b(?<!cubot)|crawl|spider|scan(?:ner|ning)|headless"
    r"|barracuda|mimecast|proofpoint|safelinks|ms-office"
    r"|java/|java-http-client|guzzle|postmanruntime|undici|deno/|^node$|^ruby$",
    re.IGNORECASE,
)
#: Mail services that load the pictures of a mail for the reader, or ahead of one.
_MAIL_PROXY = re.compile(r"GoogleImageProxy|YahooMailProxy", re.IGNORECASE)
#: What a mail privacy proxy sends for an open that nobody may have seen.
_BARE_AGENTS = frozenset({"", "Mozilla/5.0"})
_SPECULATIVE = frozenset({"prefetch", "prerender", "preview"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who caused an event, and by what we know; no reason is needed for a person."""

    actor: Actor
    reason: str = ""


_HUMAN = Verdict(Actor.HUMAN)


class Networks:
    """Networks from which only machines send. A lookup costs the same for one as for thousands."""

    def __init__(self, ranges: Iterable[str] = ()) -> None:
        """Keep ``ranges``: networks or addresses such as ``203.0.113.0/24``, ``2001:db8::/32``.

        Raises:
            ValueError: one of them is no network.
        """
        networks = [ip_network(each.strip()) for each in ranges]
        self._ends = {
            version: _ends([network for network in networks if network.version == version])
            for version in (4, 6)
        }

    def __contains__(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:  # none, or a stranger's text
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        found = mapped or found
        ends, number = self._ends[found.version], int(found)
        place = bisect_right(ends, (number, 1 << 128)) - 1
        return place >= 0 and number <= ends[place][1]


def _ends(networks: Iterable[Any]) -> list[tuple[int, int]]:
    """Return the first and last address of networks of one version, as numbers, in order."""
    return [(int(network[0]), int(network[-1])) for network in collapse_addresses(networks)]


def classify(
    *,
    agent: str | None,
    purpose: str = "",
    address: str = "",
    networks: Networks | None = None,
    is_hidden: bool = False,
    is_head: bool = False,
) -> Verdict:
    """Return who caused an event.

    Args:
        agent: the User-Agent; None when a server reported the event itself, which it does for
            people.
        purpose: the value of ``Sec-Purpose`` or its forerunners; browsers that load ahead say so.
        address: whence a browser sent it; empty when that is unknown or a server's.
        networks: whose addresses are machines.
        is_hidden: whether it followed a link of ours that people cannot see.
        is_head: whether it asked where a link of ours leads and did not follow it.
    """
    if rule := _rule(purpose, is_hidden=is_hidden, is_head=is_head):
        return Verdict(Actor.MACHINE, rule.label)
    if agent is None:
        return _HUMAN
    if networks and address in networks:
        return Verdict(Actor.MACHINE, ActorRule.NETWORK.label)
    return classify_agent(agent)


def _rule(purpose: str, *, is_hidden: bool, is_head: bool) -> ActorRule | None:
    """Return what no person does, whoever it says it is."""
    if is_hidden:
        return ActorRule.HIDDEN_LINK
    if is_head:
        return ActorRule.HEAD_ONLY
    if purpose and _SPECULATIVE & set(re.findall(r"[a-z]+", purpose[:LONGEST_AGENT].lower())):
        return ActorRule.AHEAD
    return None


@lru_cache(maxsize=8192)
def classify_agent(agent: str) -> Verdict:
    """Return who uses a browser or program that calls itself ``agent``.

    Cached, since a new one takes 0.2 ms and there are few.
    """
    agent = agent[:LONGEST_AGENT].strip()
    if agent in _BARE_AGENTS:
        return Verdict(Actor.UNKNOWN, ActorRule.UNSAID.label)
    if _MAIL_PROXY.search(agent):
        return Verdict(Actor.UNKNOWN, ActorRule.MAIL_PROXY.label)
    robot = _ROBOT.search(agent)
    if robot is None and is_crawler(agent):
        robot = CRAWLER_PATTERNS.case_sensitive.search(agent)
    if robot is None:
        return _HUMAN
    name = robot[0].lower().strip(" /")
    return Verdict(Actor.MACHINE, f"{ActorRule.ROBOT.label}: {name}"[:LONGEST_REASON])
