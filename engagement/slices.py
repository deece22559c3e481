"""One figure of the content pages as a condition on leads, so that every figure opens its list.

What a lead did about an asset, an offer or a webinar are human events. A lead became MQL or SQL
after it when it entered that stage later than one of them; whether the content was the cause,
nobody can know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.http import urlencode

from crm.common.criteria import Field, Kind, Op, ValueInvalid
from crm.common.period import Period, PeriodInvalid, read_period
from engagement.enums import EventKind, OfferKind
from engagement.models import Asset, Event, Offer, Webinar
from leads.enums import LifecycleStage
from leads.models import StageInterval


class Subject(StrEnum):
    """What a figure is about."""

    ASSET = "asset"
    OFFER = "offer"
    WEBINAR = "webinar"


class Step(StrEnum):
    """Whom a figure counts."""

    REACHED = "reached"
    DOWNLOADED = "downloaded"
    MQL = "mql"
    SQL = "sql"
    ATTENDED = "attended"
    NO_SHOW = "no_show"
    UNANSWERED = "unanswered"


_OF_CONTENT = (Step.REACHED, Step.MQL, Step.SQL)
STEPS = {
    Subject.ASSET: (*_OF_CONTENT, Step.DOWNLOADED),
    Subject.OFFER: _OF_CONTENT,
    Subject.WEBINAR: (Step.REACHED, Step.ATTENDED, Step.NO_SHOW, Step.UNANSWERED),
}
_MODELS: dict[Subject, type[Asset | Offer | Webinar]] = {
    Subject.ASSET: Asset,
    Subject.OFFER: Offer,
    Subject.WEBINAR: Webinar,
}
_WORDS = {
    (Subject.ASSET, Step.REACHED): "Did something with {}",
    (Subject.ASSET, Step.DOWNLOADED): "Downloaded {}",
    (Subject.OFFER, Step.REACHED): "Accepted {}",
    (Subject.WEBINAR, Step.REACHED): "On the list of {}",
    (Subject.WEBINAR, Step.ATTENDED): "Attended {}",
    (Subject.WEBINAR, Step.NO_SHOW): "Missed {}",
    (Subject.WEBINAR, Step.UNANSWERED): "Registered for {}, nobody knows whether they came",
}
_NO_FIGURE = "needs a figure of the content pages; open it from there"
_STAGES = {Step.MQL: LifecycleStage.MQL, Step.SQL: LifecycleStage.SQL}
OFFER_EVENTS = [kind.event_kind for kind in OfferKind]
WEBINAR_EVENTS = [
    EventKind.WEBINAR_REGISTERED,
    EventKind.WEBINAR_ATTENDED,
    EventKind.WEBINAR_NO_SHOW,
]


@dataclass(frozen=True)
class Slice:
    """Who one figure counts: what it is about, whom of those, and when they did it (or ever)."""

    subject: Subject
    thing: Asset | Offer | Webinar
    step: Step
    period: Period | None = None

    @property
    def code(self) -> str:
        """Return the value that stands in an address; ``read_slice`` is its inverse."""
        parts = [self.subject.value, self.thing.slug, self.step.value]
        if self.period:
            parts += [self.period.first.isoformat(), self.period.last.isoformat()]
        return ":".join(parts)

    @property
    def url(self) -> str:
        """Return the lead list that holds exactly these leads."""
        return f"{reverse('leads:list')}?{urlencode({'f': f'content.is.{self.code}'})}"

    @property
    def words(self) -> str:
        """Return the slice as people say it."""
        if self.step in _STAGES:
            told = f"{_STAGES[self.step].label} after {self.thing.name}"
        else:
            told = _WORDS[self.subject, self.step].format(self.thing.name)
        return f"{told}, {self.period.label}" if self.period else told


def read_slice(code: str) -> Slice:
    """Return the slice of a code.

    Raises:
        ValueInvalid: when it is none.
    """
    parts = code.split(":")
    if len(parts) not in (3, 5) or parts[0] not in set(Subject):
        raise ValueInvalid(_NO_FIGURE)
    subject, (slug, step, *days) = Subject(parts[0]), parts[1:]
    if step not in STEPS[subject]:
        raise ValueInvalid(_NO_FIGURE)
    thing = _MODELS[subject].objects.filter(slug=slug).first()
    if thing is None:
        raise ValueInvalid(f"does not know {slug[:40]!r}")
    try:
        period = read_period(*days) if days else None
    except PeriodInvalid as error:
        raise ValueInvalid("needs two dates such as 2026-05-31") from error
    return Slice(subject, thing, Step(step), period)


def slice_q(value: Slice) -> Q:
    """Return the filter over Lead."""
    theirs = events_of(value).filter(lead=OuterRef("pk"))
    if value.step in _STAGES:
        later = StageInterval.objects.filter(
            lead=OuterRef("lead"),
            stage=_STAGES[value.step],
            started_at__gt=OuterRef("occurred_at"),
        )
        return Q(Exists(theirs.filter(Exists(later))))
    if value.step is Step.DOWNLOADED:
        return Q(Exists(theirs.filter(kind=EventKind.DOWNLOAD)))
    came = Q(Exists(theirs.filter(kind=EventKind.WEBINAR_ATTENDED)))
    missed = Q(Exists(theirs.filter(kind=EventKind.WEBINAR_NO_SHOW))) & ~came
    return {
        Step.REACHED: Q(Exists(theirs)),
        Step.ATTENDED: came,
        Step.NO_SHOW: missed,
        Step.UNANSWERED: Q(Exists(theirs)) & ~came & ~missed,
    }[value.step]


def events_of(value: Slice) -> Any:
    """Return the human events that a figure is made of."""
    events = Event.objects.human().filter(lead__isnull=False)
    if value.period:
        within = {"occurred_at__gte": value.period.start, "occurred_at__lt": value.period.end}
        events = events.filter(**within)
    if isinstance(value.thing, Asset):
        return events.filter(asset_id=value.thing.pk)
    if isinstance(value.thing, Offer):
        named = {"properties__has_key": "offer", "properties__offer": value.thing.slug}
        return events.filter(kind__in=OFFER_EVENTS, **named)
    return events.filter(
        asset_id=value.thing.asset_id,
        kind__in=WEBINAR_EVENTS,
        properties__webinar=value.thing.slug,
    )


def _ask(op: Op, value: Any, _now: datetime) -> Q:
    return slice_q(value) if op is Op.IS else ~slice_q(value)


CONTENT_FIELD = Field(
    "content",
    "Content",
    Kind.CUSTOM,
    q=_ask,
    group="Engagement",
    order=35,
    read=read_slice,
    words=lambda value: value.words,
    hint="Open a figure of the content pages",
)
