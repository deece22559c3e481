"""Lucide's line icons as inline SVG: no font, no request, coloured by the text around them."""

from __future__ import annotations

from functools import lru_cache

from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide


@lru_cache(maxsize=1024)
def icon(name: str, size: int = 16, label: str = "") -> SafeString:
    """Return the icon ``name`` with sides of ``size`` px, hidden from readers unless labelled.

    Raises:
        lucide.IconDoesNotExist: There is no icon of that name.
    """
    naming = {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    drawing = lucide(name, size=size, **{"class": "glyph"}, **naming)
    return mark_safe("".join(line.strip() + " " for line in drawing.splitlines()).strip())  # noqa: S308 -- built and escaped by the wheel
