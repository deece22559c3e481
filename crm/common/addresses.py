"""Addresses of pages that are about one row, or about none.

Finding one among the paths of the site takes longer than drawing its row, so what has many asks
here: each path is found once a process.
"""

from __future__ import annotations

from functools import cache

from django.urls import reverse

#: An id that no path of the site holds as a part of its own.
_SOME_ROW = 7_192_837_465


@cache
def page(view: str) -> str:
    """Return the address of ``view``, which has no arguments."""
    return reverse(view)


@cache
def page_pattern(view: str) -> str:
    """Return the address of ``view``, whose only argument is an id, with ``{}`` in its place."""
    return reverse(view, args=[_SOME_ROW]).replace(str(_SOME_ROW), "{}")


def page_of(view: str, pk: int) -> str:
    """Return the address of ``view`` for the row with the id ``pk``."""
    return page_pattern(view).format(pk)
