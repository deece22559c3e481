"""Judging the messages of a batch one by one: who sent each, with what, and what brought them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction

from engagement.attribution import Touch, touch_of
from engagement.classify import LONGEST_AGENT, Networks, Verdict, classify
from engagement.enums import OWN_SOURCE, Actor, EventKind, SourceKind
from engagement.event_ids import agent_id
from engagement.messages import Message
from engagement.models import Source

_KEEP = """
    INSERT INTO engagement_agent (id, name)
    SELECT * FROM unnest(%s::bigint[], %s::text[]) AS told (id, name)
    WHERE NOT EXISTS (SELECT FROM engagement_agent known WHERE known.id = told.id)
    ORDER BY 1 ON CONFLICT DO NOTHING
"""


class Judgement(NamedTuple):
    """What a message alone tells: who caused it and why we think so, with what, after what."""

    actor: Actor
    reason: str
    agent_id: int | None
    touch: dict[str, str]


@dataclass(frozen=True)
class Surroundings:
    """What it takes to judge messages: which sources browsers send to, which hosts are ours."""

    browsed: frozenset[str]
    own_hosts: frozenset[str]
    networks: Networks | None

    @classmethod
    def load(cls) -> Surroundings:
        """Read the sources; they are few, and one read serves a whole batch."""
        sources = Source.objects.values_list("name", "kind", "allowed_origins")
        origins = [origin for _, _, allowed in sources for origin in allowed]
        return cls(
            browsed=frozenset({OWN_SOURCE})
            | {name for name, kind, _ in sources if kind == SourceKind.WEBSITE},
            own_hosts=frozenset(filter(None, map(_host, [settings.PUBLIC_URL, *origins]))),
            networks=hosting_networks(),
        )

    def agent_of(self, source: str, message: Message, meta: Mapping[str, Any]) -> str | None:
        """Return with what a message was sent; None when a server reported what others did.

        A library says which browser it runs in; otherwise a browser says so itself.
        """
        agent = message.user_agent
        if agent is None and source in self.browsed:
            agent = str(meta.get("agent", ""))
        return agent if agent is None else agent[:LONGEST_AGENT].strip()

    def verdict_on(
        self, source: str, message: Message, meta: Mapping[str, Any], agent: str | None
    ) -> Verdict:
        """Return who caused what a message tells, as far as it alone can say."""
        is_ours = source == OWN_SOURCE
        return classify(
            agent=agent,
            purpose=message.purpose or str(meta.get("purpose", "")),
            address=str(meta.get("address", "")) if source in self.browsed else "",
            networks=self.networks,
            is_hidden=is_ours and bool(message.properties.get("is_hidden")),
            is_head=is_ours and message.properties.get("method") == "HEAD",
        )

    def touch_of(self, source: str, message: Message) -> dict[str, str]:
        """Return what brought whoever sent a message, empty when it is no arrival."""
        told = message.properties
        if message.kind is EventKind.EMAIL_CLICK and source == OWN_SOURCE:
            return Touch("email", "email", str(told.get("mailing", ""))).as_json()
        if message.kind is not EventKind.PAGE_VIEW:
            return {}
        referrer = told.get("referrer")
        from_page = referrer if isinstance(referrer, str) else ""
        if "campaign" not in told:
            return _arrival(message.url, from_page, self.own_hosts)
        touch = touch_of(
            url=message.url, referrer=from_page, campaign=told["campaign"], own_hosts=self.own_hosts
        )
        return touch.as_json() if touch else {}


@lru_cache(maxsize=4096)
def _arrival(url: str, referrer: str, own_hosts: frozenset[str]) -> dict[str, str]:
    """Return what brought the visitor of a page; most pages are reached from the same few."""
    touch = touch_of(url=url, referrer=referrer, own_hosts=own_hosts)
    return touch.as_json() if touch else {}


def judge(told: Sequence[tuple[str, Message, Mapping[str, Any]]]) -> list[Judgement]:
    """Judge messages: (source, message, what the request told beside it).

    To be called in the transaction that writes the events.
    """
    around = Surroundings.load()
    agents = [around.agent_of(*each) for each in told]
    transaction.on_commit(partial(keep_agents, set(filter(None, agents))), robust=True)
    judgements = []
    for (source, message, meta), agent in zip(told, agents, strict=True):
        verdict = around.verdict_on(source, message, meta, agent)
        judgements.append(
            Judgement(
                actor=verdict.actor,
                reason=verdict.reason,
                agent_id=agent_id(agent) if agent else None,
                touch=around.touch_of(source, message),
            )
        )
    return judgements


def hosting_networks() -> Networks | None:
    """Return the networks that the settings name; None when they name none."""
    ranges = tuple(settings.HOSTING_NETWORKS)
    return _networks(ranges) if ranges else None


@lru_cache(maxsize=4)
def _networks(ranges: tuple[str, ...]) -> Networks:
    return Networks(ranges)


def keep_agents(names: Iterable[str]) -> None:
    """Write down what agents are called, those that are not known yet.

    To be called after the batch that names them has committed: within it, two batches with the
    same new agent would wait for each other, and for what else they hold.
    """
    ids = {agent_id(name): name for name in names}
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [list(ids), list(ids.values())])


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
