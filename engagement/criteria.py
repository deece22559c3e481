"""Criteria about what a lead did: an act, an asset or a funnel stage, how often, since when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from crm.common.criteria import Field, Kind, Op, ValueInvalid
from crm.common.criteria.values import period, period_words
from engagement.enums import EventKind, FunnelStage
from engagement.models import Asset, Event

#: What, then how often, then within which time: ``DOWNLOAD``, ``DOWNLOAD:2``, ``DOWNLOAD:2:30d``.
_SPELLING = re.compile(r"(?P<what>[\w-]{1,100})(:(?P<times>\d{1,3}))?(:(?P<span>\w{2,5}))?")

Words = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done at least ``times`` times, within ``span`` before now or ever."""

    what: str
    times: int
    span: timedelta | None
    words: str


def deed_field(name: str, label: str, *, column: str, words: Words, **options: Any) -> Field:
    """Return a field asking whether a lead did ``what``, a value of ``column`` of the log.

    ``words`` returns how people call a value, or None when there is no such value.
    """

    def read(raw: str) -> Deed:
        return _read(raw, words)

    def ask(op: Op, deed: Deed, now: datetime) -> Q:
        did = _did(column, deed, now)
        return ~did if op is Op.IS_NOT else did

    return Field(
        name, label, Kind.CUSTOM, q=ask, read=read, words=lambda deed: deed.words, **options
    )


def kind_words(code: str) -> str | None:
    """Return how an act is called."""
    return EventKind(code).label if code in EventKind.values else None


def stage_words(code: str) -> str | None:
    """Return how something done about assets of a funnel stage is called."""
    return f"{FunnelStage(code).label} asset" if code in FunnelStage.values else None


def asset_words(slug: str) -> str | None:
    """Return the name of an asset."""
    return Asset.objects.filter(slug=slug).values_list("name", flat=True).first()


def asset_choices() -> list[tuple[str, str]]:
    """Return the assets to choose from, by name."""
    return list(Asset.objects.order_by("name", "id").values_list("slug", "name"))


def _read(raw: str, words: Words) -> Deed:
    match = _SPELLING.fullmatch(raw)
    called = words(match["what"]) if match else None
    if match is None or called is None:
        raise ValueInvalid(f"does not know {raw[:40]!r}")
    times, span = int(match["times"] or 1), match["span"]
    if times == 0:
        raise ValueInvalid("needs at least once; use is not for never")
    often = "" if times == 1 else f" at least {times} times"
    within = f" within {period_words(span)}" if span else ""
    return Deed(match["what"], times, period(span) if span else None, called + often + within)


def _did(column: str, deed: Deed, now: datetime) -> Q:
    events = Event.objects.human().filter(**{column: deed.what}, occurred_at__lte=now)
    if deed.span:
        events = events.filter(occurred_at__gt=now - deed.span)
    theirs = events.filter(lead=OuterRef("pk"))
    did = Q(Exists(theirs))  # alone it lets the planner begin with the events, where they are rare
    return did & Q(Exists(theirs[deed.times - 1 : deed.times])) if deed.times > 1 else did
