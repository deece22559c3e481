"""The demo company's content: what there is to read, watch and ask for. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engagement.enums import AssetKind, FunnelStage

SITE = "https://www.halvorn.example"


@dataclass(frozen=True, slots=True)
class Piece:
    """An asset to be."""

    slug: str
    name: str
    kind: AssetKind
    funnel_stage: FunnelStage
    path: str


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
BY_SLUG = {piece.slug: piece for piece in PIECES}

BLOGS = tuple(piece.slug for piece in PIECES if piece.kind is AssetKind.BLOG)
GUIDES = ("guide-downtime", "checklist-shutdown")
WEBINARS = ("webinar-ninety-days", "webinar-sensors")
CASES = ("case-gusswerk", "case-dairy")
