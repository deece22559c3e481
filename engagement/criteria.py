"""Criteria about what a lead did: an act, an asset or a funnel stage, how often, since when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from crm.common.criteria import Field, Kind, Op, ValueInvalid
from crm.common.criteria.values import period, period_words, text
from crm.common.paging import expected_rows
from crm.common.present import present_values
from engagement.enums import EventKind, FunnelStage
from engagement.models import Asset, Event
from engagement.models.events import EventQuerySet

#: What, then how often, then within which time, then whether on so many different assets:
#: ``DOWNLOAD``, ``DOWNLOAD:2``, ``DOWNLOAD:2:30d``, ``DOWNLOAD:2:30d:assets``; what is no word is
#: quoted as in addresses: ``Plan%20opened:2``.
_SPELLING = re.compile(
    r"(?P<what>[\w.~%-]{1,600})(:(?P<times>\d{1,3}))?(:(?P<span>\w{2,5}|(?=:)))?(:(?P<on>assets))?"
)
_ASSET = "asset__slug"

#: Acts that a list groups by lead before it looks at any lead: a tenth of a second. Our choice.
_FEW = 100_000

#: What nobody but its sender has a name for.
NAMED = Q(kind=EventKind.CUSTOM)

Words = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done at least ``times`` times, within ``span`` before now or ever.

    With ``different_assets`` on so many of them, however often on each.
    """

    what: str
    times: int
    span: timedelta | None
    different_assets: bool
    words: str


def deed_field(
    name: str, label: str, *, column: str, words: Words, only: Q | None = None, **options: Any
) -> Field:
    """Return a field asking whether a lead did ``what``, a value of ``column`` of the log.

    ``only`` says which acts count, as an index has them.
    ``words`` returns how people call a value, or None when there is no such value.
    """

    def read(raw: str) -> Deed:
        return _read(raw, words, is_asset=column == _ASSET)

    def ask(op: Op, deed: Deed, now: datetime) -> Q:
        did = _did(_acts(column, deed, now, only), deed)
        return ~did if op is Op.IS_NOT else did

    def ask_of_all(op: Op, deed: Deed, now: datetime) -> Q:
        acts = _acts(column, deed, now, only)
        is_rare = op is Op.IS and deed.times > 1 and expected_rows(acts) <= _FEW
        return Q(pk__among=ArraySubquery(_often(acts, deed))) if is_rare else ask(op, deed, now)

    return Field(
        name,
        label,
        Kind.CUSTOM,
        q=ask,
        q_of_all=ask_of_all,
        read=read,
        words=lambda deed: deed.words,
        **options,
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


def event_words(name: str) -> str | None:
    """Return how a custom event is called: as its senders call it, whether one came yet or not."""
    return name or None


def event_choices() -> list[tuple[str, str]]:
    """Return the names of custom events that leads caused, as they are spelt in a deed."""
    caused = Event.objects.human().filter(NAMED, lead__isnull=False)
    return [(quote(name, safe=""), name) for name in present_values(caused, "name")]


def asset_choices() -> list[tuple[str, str]]:
    """Return the assets to choose from, by name."""
    return list(Asset.objects.order_by("name", "id").values_list("slug", "name"))


def _read(raw: str, words: Words, *, is_asset: bool) -> Deed:
    match = _SPELLING.fullmatch(raw)
    what = text(unquote(match["what"])) if match else ""
    called = words(what)
    if match is None or called is None:
        raise ValueInvalid(f"does not know {raw[:40]!r}")
    times, span = int(match["times"] or 1), match["span"]
    if times == 0:
        raise ValueInvalid("needs at least once; use is not for never")
    different_assets = times > 1 and match["on"] is not None
    if different_assets and is_asset:
        raise ValueInvalid("asks for one asset, which is not several")
    said = called + _often_words(times, different_assets=different_assets)
    within = f" within {period_words(span)}" if span else ""
    return Deed(what, times, period(span) if span else None, different_assets, said + within)


def _often_words(times: int, *, different_assets: bool) -> str:
    if different_assets:
        return f" on at least {times} different assets"
    return "" if times == 1 else f" at least {times} times"


def _acts(column: str, deed: Deed, now: datetime, only: Q | None) -> EventQuerySet:
    """Return the acts of all leads that the deed counts."""
    acts = Event.objects.human().filter(
        only or Q(), **{column: deed.what}, occurred_at__lte=now, lead__isnull=False
    )
    if deed.different_assets:
        acts = acts.filter(asset__isnull=False)
    return acts.filter(occurred_at__gt=now - deed.span) if deed.span else acts


def _did(acts: EventQuerySet, deed: Deed) -> Q:
    theirs = acts.filter(lead=OuterRef("pk"))
    did = Q(Exists(theirs))  # alone it lets the planner begin with the events, where they are rare
    if deed.times == 1:
        return did
    often = _often(theirs, deed) if deed.different_assets else theirs[deed.times - 1 : deed.times]
    return did & Q(Exists(often))


def _often(acts: EventQuerySet, deed: Deed) -> QuerySet[Event, Any]:
    """Return the leads that did it so often: where that is rare, before any lead is looked at.

    A list in an order of its own would look at all leads where almost nobody did it so often.
    """
    times = Count("asset", distinct=True) if deed.different_assets else Count("*")
    often = acts.order_by().values("lead").annotate(times=times).filter(times__gte=deed.times)
    return often.values("lead")
