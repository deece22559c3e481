"""Drawings that only reports need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from crm.common.ui import words
from crm.reports.heat import HeatCell

register = template.Library()

COLUMN_HEIGHT = 150
TEXT_HEIGHT = 24

_HEAT_CELL = (
    '<td class="heat-{}"><a href="{}&amp;arrived={}" title="{}">'
    '<span class="visually-hidden">{}</span>{}</a></td>'
)
_HEAT_LATE = '<b aria-hidden="true">{}<span class="heat-word"> late</span></b>'
_HEAT_NOTHING = format_html('<td class="heat-{}"></td>', 0)


@register.filter
def shared_by(span: timedelta, number: int) -> timedelta:
    """Return the part of ``span`` that each of ``number`` has."""
    return span / number


@register.inclusion_tag("reports/_funnel_column.html")
def funnel_column(count: int, before: int, is_first: bool) -> dict[str, Any]:
    """A column filled to its share of the step before, to a linear scale; the first is full."""
    share = 1.0 if is_first else (count / before if before else 0.0)
    # More may move on in a period than came to the step before.
    filled = round(min(share, 1.0) * COLUMN_HEIGHT, 1)
    fits_inside = filled > TEXT_HEIGHT * 2
    top = COLUMN_HEIGHT - filled
    return {
        "height": COLUMN_HEIGHT,
        "filled": filled,
        "top": top,
        "is_first": is_first,
        "text": "" if is_first else words.percent(count, before),
        "text_y": top + TEXT_HEIGHT if fits_inside else top - 8,
        "is_on_fill": fits_inside,
    }


@register.simple_tag
def heat_cells(cells: Sequence[HeatCell], url: str) -> SafeString:
    """Draw a row of the heat map; each cell in which something came opens it, by ``url``.

    Here rather than in the template: of up to 168 cells the template took a sixth of the page.
    """
    return format_html_join("", "{}", ((_heat_cell(cell, url),) for cell in cells))


def _heat_cell(cell: HeatCell, url: str) -> SafeString:
    if not cell.received:
        return _HEAT_NOTHING
    said = f"{cell.received} received, {cell.late} late"
    late = format_html(_HEAT_LATE, cell.late) if cell.late else ""
    return format_html(_HEAT_CELL, cell.step, url, cell.key, said, said, late)
