"""Addresses of pages that are about one row.

Finding one among the paths of the site takes longer than drawing its row, so what has many asks
here: each path is found once a process.
"""

from __future__ import annotations

from functools import cache

from django.urls import reverse


@cache
def page_pattern(view: str) -> str:
    """Return the address of ``view``, whose only argument is an id, with ``{}`` in its place."""
    before, _, after = reverse(view, args=[0]).rpartition("0")  # a site's prefix may hold one too
    return f"{before}{{}}{after}"


def page_of(view: str, pk: int) -> str:
    """Return the address of ``view`` for the row with the id ``pk``."""
    return page_pattern(view).format(pk)
