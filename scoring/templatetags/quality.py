"""Drawings that only rule quality needs."""

from __future__ import annotations

from math import log2

from django import template
from django.utils.safestring import SafeString

from crm.common.ui.markup import markup
from scoring.lift import Lift
from scoring.quality import page

register = template.Library()

#: The scale goes from an eighth to eight times, an octave each way as wide; in percent.
_OCTAVES = 3


@register.simple_tag
def lift_bar(lift: Lift, is_sure: bool) -> SafeString:
    """A bar from 1 to the lift, its interval as a whisker; hollow while it may be chance."""
    ratio, low, high = (_place(value) for value in (lift.ratio, lift.low, lift.high))
    return markup(
        '<svg class="lift{}" role="img" aria-label="{}">'
        '<line class="lift-one" x1="50%" x2="50%" y1="0" y2="100%"/>'
        '<rect class="lift-fill" x="{}%" width="{}%" y="5" height="6" rx="2"/>'
        '<line class="lift-whisker" x1="{}%" x2="{}%" y1="8" y2="8"/>'
        '<line class="lift-whisker" x1="{}%" x2="{}%" y1="4" y2="12"/>'
        '<line class="lift-whisker" x1="{}%" x2="{}%" y1="4" y2="12"/></svg>',
        "" if is_sure else " is-hollow",
        page.lift_words(lift),
        *(f"{value:.1f}" for value in (min(ratio, 50), abs(ratio - 50), low, high, low, low)),
        *(f"{value:.1f}" for value in (high, high)),
    )


@register.filter
def lift_words(lift: Lift) -> str:
    """``0.6×, 95 % 0.4–0.8``."""
    return page.lift_words(lift)


def _place(ratio: float) -> float:
    octaves = min(max(log2(ratio), -_OCTAVES), _OCTAVES)
    return 50 + 50 * octaves / _OCTAVES
