"""Criteria about what a lead did: an act, an asset or a funnel stage, how often, since when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q

from crm.common.criteria import Field, Kind, Op, ValueInvalid
from crm.common.criteria.values import period, period_words
from crm.common.paging import expected_rows
from engagement.enums import EventKind, FunnelStage
from engagement.models import Asset, Event
from engagement.models.events import EventQuerySet

#: What, then how often, then within which time: ``DOWNLOAD``, ``DOWNLOAD:2``, ``DOWNLOAD:2:30d``.
_SPELLING = re.compile(r"(?P<what>[\w-]{1,100})(:(?P<times>\d{1,3}))?(:(?P<span>\w{2,5}))?")

#: Acts that a list groups by lead before it looks at any lead: a tenth of a second. Our choice.
_FEW = 100_000

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

    def ask_of_all(op: Op, deed: Deed, now: datetime) -> Q:
        acts = _acts(column, deed, now)
        is_rare = op is Op.IS and deed.times > 1 and expected_rows(acts) <= _FEW
        return _did_often(acts, deed.times) if is_rare else ask(op, deed, now)

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


def _acts(column: str, deed: Deed, now: datetime) -> EventQuerySet:
    """Return the acts of all leads that the deed counts."""
    acts = Event.objects.human().filter(
        **{column: deed.what}, occurred_at__lte=now, lead__isnull=False
    )
    return acts.filter(occurred_at__gt=now - deed.span) if deed.span else acts


def _did(column: str, deed: Deed, now: datetime) -> Q:
    theirs = _acts(column, deed, now).filter(lead=OuterRef("pk"))
    did = Q(Exists(theirs))  # alone it lets the planner begin with the events, where they are rare
    return did & Q(Exists(theirs[deed.times - 1 : deed.times])) if deed.times > 1 else did


def _did_often(acts: EventQuerySet, times: int) -> Q:
    """Return the same for acts that are rare: who did them is known before any lead is looked at.

    A list in an order of its own would look at all leads where almost nobody did it so often.
    """
    often = acts.order_by().values("lead").annotate(times=Count("*")).filter(times__gte=times)
    return Q(pk__among=ArraySubquery(often.values("lead")))
