"""Reading the log for people: a lead's timeline, and what each lead did last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import connection
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from crm.common.slots import EntryAct, TimelineEntry
from engagement.acts import ICONS, MACHINE_ICON, act_title
from engagement.enums import Actor, EventKind
from engagement.messages import FAST_TRACK
from engagement.models import Event
from engagement.reading_time import reading_times, reading_words
from leads.normalise import source_label

#: Acts that come in runs; neighbours of one kind about one thing are shown as one line.
_REPEATED = frozenset(
    {EventKind.PAGE_VIEW, EventKind.EMAIL_OPEN, EventKind.EMAIL_CLICK, EventKind.LINK_CLICK}
)
#: What tells something about an act beside it and is none itself.
_QUIET = (EventKind.PAGE_READ, EventKind.IDENTIFY)
#: Who may say whether a person or a machine caused an event: whom scores are made for.
DECIDERS = (Role.MARKETER, Role.MANAGER, Role.ADMIN)
#: Stands for the id of an event in an address that is made once.
_NOBODYS = UUID(int=0)
_LONGEST_FORM = 60
_LONGEST_MAILING = 100
_MAILED = (EventKind.EMAIL_OPEN, EventKind.EMAIL_CLICK)
_LONGEST_OFFER = 100
#: The newest partition is asked first and older ones only when it holds nothing of the lead.
_LAST_ACTS = """
    SELECT asked.lead_id, act.kind, act.name, act.url, act.occurred_at, asset.name
    FROM unnest(%s::bigint[]) AS asked (lead_id)
    CROSS JOIN LATERAL (
        SELECT kind, name, url, occurred_at, asset_id FROM engagement_event event
        WHERE event.lead_id = asked.lead_id AND event.actor = %s AND event.occurred_at <= %s
        ORDER BY occurred_at DESC LIMIT 1
    ) AS act
    LEFT JOIN engagement_asset asset ON asset.id = act.asset_id
"""

_ACTS = PreparedQuery(
    lambda lead, before: (
        Event.objects.filter(lead_id=lead, occurred_at__lt=before)
        .exclude(actor=Actor.MACHINE)
        .exclude(kind__in=_QUIET)
        .select_related("asset")
        .order_by("-occurred_at")
    )
)
_MACHINES = PreparedQuery(
    lambda lead, before: (
        Event.objects.filter(lead_id=lead, occurred_at__lt=before)
        .filter(actor=Actor.MACHINE)
        .select_related("asset")
        .order_by("-occurred_at")
    )
)


@dataclass(frozen=True, slots=True)
class Act:
    """The last thing a person did."""

    title: str
    occurred_at: datetime


def last_acts(lead_ids: Sequence[int], viewer: User, now: datetime) -> Mapping[int, Act]:
    """Return the last human act of each lead up to ``now``; leads that did nothing are missing.

    ``viewer`` may see these leads, and with a lead all that it did.
    """
    del viewer
    with connection.cursor() as cursor:
        cursor.execute(_LAST_ACTS, [list(lead_ids), Actor.HUMAN, now])
        return {
            lead_id: Act(_title(kind, name, asset, url), occurred_at)
            for lead_id, kind, name, url, occurred_at, asset in cursor.fetchall()
        }


def act_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what a lead did before ``before``, newest first; a ``TimelineSource``."""
    found = _ACTS.newest(lead_id, before, limit)
    times = reading_times(lead_id, found)
    return [_with_reading(entry_of(event, viewer=viewer), times.get(event.id)) for event in found]


def machine_entries(
    lead_id: int, viewer: User, before: datetime | None, limit: int
) -> list[TimelineEntry]:
    """Return what machines did in the name of a lead; a ``TimelineSource``."""
    found = _MACHINES.newest(lead_id, before, limit)
    return [entry_of(event, viewer=viewer) for event in found]


def entry_of(event: Event, *, viewer: User, is_decided: bool = False) -> TimelineEntry:
    """Return an event, loaded with its asset, as ``viewer`` sees it on a timeline.

    ``is_decided`` offers to take back what somebody has just said of it.
    """
    kind = EventKind(event.kind)
    is_machine = event.actor == Actor.MACHINE
    title = title_of(event)
    return TimelineEntry(
        at=event.occurred_at,
        kind="machines" if is_machine else "acts",
        icon=MACHINE_ICON if is_machine else ICONS[kind],
        title=title,
        detail=_detail(event),
        tag=event.funnel_stage,
        points=None if event.actor == Actor.HUMAN else Decimal(0),
        earns=event.actor == Actor.HUMAN,
        tone="machine" if is_machine else "plain",
        key=f"{title}:{event.actor}" if is_machine or kind in _REPEATED else "",
        act=_act(event, is_decided=is_decided) if viewer.has_role(*DECIDERS) else None,
    )


def _with_reading(entry: TimelineEntry, time: timedelta | None) -> TimelineEntry:
    if time is None:
        return entry
    return replace(entry, detail=". ".join(filter(None, [reading_words(time), entry.detail])))


def title_of(event: Event) -> str:
    """Return what an event, loaded with its asset, is called."""
    about = event.asset.name if event.asset else _mailing(event)
    return _title(event.kind, event.name, about, event.url)


def _act(event: Event, *, is_decided: bool) -> EntryAct:
    """Return what a person may say of an event: that it was a machine's, or a person's."""
    url = _actor_address().replace(str(_NOBODYS), str(event.id))
    if is_decided:
        return EntryAct("Undo", url, "actor", "")
    if event.actor == Actor.MACHINE:
        return EntryAct("Restore", url, "actor", Actor.HUMAN)
    return EntryAct("Mark as machine", url, "actor", Actor.MACHINE)


@cache
def _actor_address() -> str:
    """Return the address of what a person may say, once: a timeline has dozens of them."""
    return reverse("engagement:event_actor", args=[_NOBODYS]) + "?on=timeline"


def _detail(event: Event) -> str:
    """Return what makes the act more telling: who did it if nobody, and what brought it about."""
    if event.actor == Actor.MACHINE:
        return f"Machine event, never scored. {event.actor_reason}"
    is_tracked = event.kind == EventKind.EMAIL_CLICK and event.url and _mailing(event)
    told = (
        event.actor_reason,
        f"To {event.url}" if is_tracked else "",
        _form(event.properties),
        _offer(event.properties),
        _campaign(event.properties),
        "Dated by its receipt: the sender's clock was wrong" if event.clock_fault else "",
    )
    return ". ".join(part for part in told if part)


def _form(properties: Mapping[str, Any]) -> str:
    form = properties.get("form")
    return f"Form {form[:_LONGEST_FORM]}" if isinstance(form, str) else ""


def _offer(properties: Mapping[str, Any]) -> str:
    offer = properties.get("offer")
    if not isinstance(offer, str):
        return ""
    is_held_back = properties.get(FAST_TRACK) is False
    return f"Offer {offer[:_LONGEST_OFFER]}{', no fast track' if is_held_back else ''}"


def _mailing(event: Event) -> str:
    """Return the mail that a link or pixel of ours stands in."""
    mailing = event.properties.get("mailing") if event.kind in _MAILED else ""
    return mailing[:_LONGEST_MAILING] if isinstance(mailing, str) else ""


def _campaign(properties: Mapping[str, Any]) -> str:
    campaign = properties.get("campaign")
    if not isinstance(campaign, dict):
        return ""
    source, name = (str(campaign.get(key) or "")[:100] for key in ("source", "name"))
    where = source_label(source)
    if where and name:
        return f"Came from {where}, campaign {name}"
    return f"Came from {where or name}" if where or name else ""


def _title(kind: str, name: str, asset: str | None, url: str) -> str:
    return act_title(kind=EventKind(kind), name=name, asset=asset or "", path=_path(url))


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # a stranger's text, kept as it came
        return ""
