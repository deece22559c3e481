"""What the content pages list: things with their figures, each with the link that opens it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Count
from django.http import QueryDict

from crm.common.paging import estimate_count
from crm.common.period import PRESETS, Period
from engagement.enums import AttendanceResult
from engagement.figures import ContentFigures, WebinarFigures
from engagement.models import Asset, AttendanceUpload, Offer, Webinar
from engagement.slices import Slice, Step, Subject
from leads.models import Lead

#: With more leads than this the figures are asked for after the page; 0.3 s with 100,000 leads and
#: a million events (2 cores, 2026-11).
AT_ONCE = 100_000

T = TypeVar("T", Asset, Offer, Webinar)


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure, and the list of the leads that it counts."""

    label: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class Line(Generic[T]):
    """One row: the thing and its figures; None while they are still to be asked for."""

    thing: T
    cells: Sequence[Cell] | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several links; ``current`` is the one that is shown."""

    label: str
    url: str
    current: bool


def are_slow() -> bool:
    """Say whether figures are worth a request of their own."""
    return estimate_count(Lead.objects.all()).value > AT_ONCE


def asset_lines(
    assets: Sequence[Asset], figures: Mapping[int, ContentFigures] | None, period: Period
) -> list[Line[Asset]]:
    """Return the rows of the library; ``figures`` are None while they are still to be asked for."""
    return [
        Line(asset, None if figures is None else asset_cells(asset, figures.get(asset.pk), period))
        for asset in assets
    ]


def asset_cells(asset: Asset, found: ContentFigures | None, period: Period) -> list[Cell]:
    """Return the figures of one asset."""
    counts = found or ContentFigures()
    return [
        Cell(label, count, Slice(Subject.ASSET, asset, step, period).url)
        for label, count, step in (
            ("Downloads", counts.acts, Step.DOWNLOADED),
            ("Leads", counts.leads, Step.REACHED),
            ("MQLs", counts.mqls, Step.MQL),
            ("SQLs", counts.sqls, Step.SQL),
        )
    ]


def offer_lines(
    offers: Sequence[Offer], figures: Mapping[int, ContentFigures], period: Period
) -> list[Line[Offer]]:
    """Return the rows of the offers."""
    return [Line(offer, _offer_cells(offer, figures.get(offer.pk), period)) for offer in offers]


def _offer_cells(offer: Offer, found: ContentFigures | None, period: Period) -> list[Cell]:
    counts = found or ContentFigures()
    return [
        Cell(label, count, Slice(Subject.OFFER, offer, step, period).url)
        for label, count, step in (
            ("Accepted", counts.acts, Step.REACHED),
            ("Leads", counts.leads, Step.REACHED),
            ("MQLs", counts.mqls, Step.MQL),
            ("SQLs", counts.sqls, Step.SQL),
        )
    ]


def webinar_lines(
    webinars: Sequence[Webinar], figures: Mapping[int, WebinarFigures]
) -> list[Line[Webinar]]:
    """Return the rows of the webinars."""
    return [Line(webinar, webinar_cells(webinar, figures.get(webinar.pk))) for webinar in webinars]


def webinar_cells(webinar: Webinar, found: WebinarFigures | None) -> list[Cell]:
    """Return the figures of one webinar."""
    counts = found or WebinarFigures()
    return [
        Cell(label, count, Slice(Subject.WEBINAR, webinar, step).url)
        for label, count, step in (
            ("Registered", counts.listed, Step.REACHED),
            ("Attended", counts.attended, Step.ATTENDED),
            ("No-show", counts.no_show, Step.NO_SHOW),
            ("Not known", counts.unanswered, Step.UNANSWERED),
        )
    ]


def period_choices(path: str, query: QueryDict, period: Period) -> list[Choice]:
    """Return the named periods, each keeping what else the address says."""
    kept = query.copy()
    for name in ("period", "from", "to"):
        kept.pop(name, None)
    choices = []
    for name, label in PRESETS.items():
        kept["period"] = name
        choices.append(Choice(label, f"{path}?{kept.urlencode()}", period.name == name))
    return choices


def result_choices(upload: AttendanceUpload, path: str, *, asked: str) -> list[Choice]:
    """Return how many lines ended how, each as a link to just those."""
    found = dict(upload.rows.values_list("result").annotate(number=Count("pk")))
    whole = Choice(f"All {sum(found.values()):,}", path, not asked)
    return [whole] + [
        Choice(f"{result.label} {found[result]:,}", f"{path}?result={result}", asked == result)
        for result in AttendanceResult
        if result in found
    ]
