"""The demo company's content: what there is to read, watch and ask for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engagement.enums import AssetKind, EventKind, FunnelStage, OfferKind
from engagement.messages import FAST_TRACK

SITE = "https://www.halvorn.example"


@dataclass(frozen=True, slots=True)
class Piece:
    """An asset to be."""

    slug: str
    name: str
    kind: AssetKind
    funnel_stage: FunnelStage
    path: str

    @property
    def persona(self) -> str:
        """Return whom it is written for; nothing for everybody."""
        return PERSONAS.get(self.slug, "")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An offer to be. ``days_left`` is when it ends, seen from now; None for never."""

    slug: str
    name: str
    kind: OfferKind
    text: str
    asset: str
    is_fast_track: bool = True
    days_left: int | None = None


_T, _M, _B = FunnelStage.TOFU, FunnelStage.MOFU, FunnelStage.BOFU
_K = AssetKind

PIECES = (
    Piece("blog-oee", "Why OEE misleads", _K.BLOG, _T, "/blog/why-oee-misleads"),
    Piece("blog-spare-parts", "Spare parts without fear", _K.BLOG, _T, "/blog/spare-parts"),
    Piece("blog-night-shift", "What the night shift knows", _K.BLOG, _T, "/blog/night-shift"),
    Piece("blog-lubrication", "Lubrication rounds", _K.BLOG, _T, "/blog/lubrication-rounds"),
    Piece("guide-downtime", "Planned downtime guide", _K.GUIDE, _T, "/guides/planned-downtime"),
    Piece("checklist-shutdown", "Shutdown checklist", _K.CHECKLIST, _T, "/checklists/shutdown"),
    Piece("newsletter", "Monthly newsletter", _K.NEWSLETTER, _T, "/newsletter"),
    Piece("webinar-ninety-days", "Planned downtime in 90 days", _K.WEBINAR, _M,
          "/webinars/ninety-days"),
    Piece("webinar-sensors", "Sensors on old machines", _K.WEBINAR, _M, "/webinars/sensors"),
    Piece("ebook-maintenance-plan", "The first maintenance plan", _K.EBOOK, _M,
          "/ebooks/first-maintenance-plan"),
    Piece("roi-calculator", "ROI calculator", _K.TOOL, _M, "/tools/roi"),
    Piece("product-tour", "Product tour", _K.PAGE, _M, "/product"),
    Piece("case-gusswerk", "Case study: a foundry in Hagen", _K.CASE_STUDY, _B, "/cases/foundry"),
    Piece("case-dairy", "Case study: a dairy in Kolding", _K.CASE_STUDY, _B, "/cases/dairy"),
    Piece("comparison-spreadsheets", "Comparison with spreadsheets", _K.COMPARISON, _B,
          "/compare/spreadsheets"),
    Piece("pricing", "Pricing", _K.PRICING, _B, "/pricing"),
    Piece("demo", "Demo request", _K.PAGE, _B, "/demo"),
)  # fmt: skip
PERSONAS = {
    "guide-downtime": "Maintenance lead",
    "checklist-shutdown": "Maintenance lead",
    "ebook-maintenance-plan": "Maintenance lead",
    "webinar-ninety-days": "Maintenance lead",
    "webinar-sensors": "Technology",
    "roi-calculator": "Plant director",
    "case-gusswerk": "Plant director",
    "case-dairy": "Plant director",
}
#: What has a file behind it, and what stands in it.
PAPERS = {
    "guide-downtime": ("Plan the stop before it plans you.", "Twelve weeks, one page each."),
    "checklist-shutdown": ("Before, during and after a shutdown.", "Forty lines to tick."),
    "ebook-maintenance-plan": ("Your first maintenance plan.", "From a list to a rhythm."),
    "case-gusswerk": ("A foundry in Hagen.", "31 % fewer unplanned stops in a year."),
    "case-dairy": ("A dairy in Kolding.", "One plan for two sites."),
}
_O = OfferKind
OFFERS = (
    Proposal("request-demo", "A demo on your own machines", _O.DEMO,
             "Half an hour, one of your lines, and what its next stop will cost.", "demo"),
    Proposal("talk-to-an-engineer", "Talk to an engineer", _O.CONSULTATION,
             "Bring your worst machine. We bring somebody who has repaired it.", "demo"),
    Proposal("thirty-days", "Thirty days for one line", _O.TRIAL,
             "The whole of Halvorn for one line, without a card.", "product-tour"),
    Proposal("winter-check", "Winter check, free of charge", _O.PROMOTION,
             "We look through your plan for the winter stop and send you what we would change.",
             "checklist-shutdown", is_fast_track=False, days_left=45),
)  # fmt: skip
#: The offer by the act that accepts it.
OFFER_OF = {offer.kind.event_kind: offer for offer in OFFERS}
WEBINAR_ACTS = (
    EventKind.WEBINAR_REGISTERED,
    EventKind.WEBINAR_ATTENDED,
    EventKind.WEBINAR_NO_SHOW,
)


BY_SLUG = {piece.slug: piece for piece in PIECES}

BLOGS = tuple(piece.slug for piece in PIECES if piece.kind is AssetKind.BLOG)
GUIDES = ("guide-downtime", "checklist-shutdown")
WEBINARS = ("webinar-ninety-days", "webinar-sensors")
#: On which day of the week each is held once a month, and from which day of the month.
_SESSIONS = {"webinar-ninety-days": (1, 8), "webinar-sensors": (3, 15)}
WEBINAR_ZONE = "Europe/Berlin"
CASES = ("case-gusswerk", "case-dairy")


def session_of(webinar: str, month: date) -> datetime:
    """Return when a webinar is held in the month of ``month``: a Tuesday or Thursday, at 16:00."""
    weekday, earliest = _SESSIONS[webinar]
    first = month.replace(day=earliest)
    day = first + timedelta(days=(weekday - first.weekday()) % 7)
    return datetime.combine(day, time(16), ZoneInfo(WEBINAR_ZONE))


def session_slug(webinar: str, starts_at: datetime) -> str:
    """Return the short name of one session of a webinar."""
    return f"{webinar}-{starts_at:%Y-%m}"


def told(kind: EventKind, asset: str, at: datetime, *, is_capture: bool) -> dict[str, Any]:
    """Return what an act tells besides: the offer that it accepts, the webinar that it is about.

    Who is captured by a webinar registers for the next session; others see the latest recording.
    """
    if kind in WEBINAR_ACTS:
        return {"webinar": session_slug(asset, _session_for(asset, at, is_next=is_capture))}
    if offer := OFFER_OF.get(kind):
        return {"offer": offer.slug, FAST_TRACK: offer.is_fast_track}
    return {}


def _session_for(webinar: str, at: datetime, *, is_next: bool) -> datetime:
    month = at.date().replace(day=1)
    sessions = [session_of(webinar, month + timedelta(days=days)) for days in (-20, 0, 32)]
    if is_next:
        return next(session for session in sessions if session > at)
    return next(session for session in reversed(sessions) if session <= at)
