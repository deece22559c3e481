"""Drawings that only reports need."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import template

from crm.common.ui import words

register = template.Library()

COLUMN_HEIGHT = 150
TEXT_HEIGHT = 24


@register.filter
def shared_by(span: timedelta, number: int) -> timedelta:
    """Return the part of ``span`` that each of ``number`` has."""
    return span / number


@register.inclusion_tag("reports/_funnel_column.html")
def funnel_column(count: int, before: int, is_first: bool) -> dict[str, Any]:
    """A column filled to its share of the step before, to a linear scale; the first is full."""
    share = 1.0 if is_first else (count / before if before else 0.0)
    filled = round(share * COLUMN_HEIGHT, 1)
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
