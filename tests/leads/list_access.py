"""Who may open the lead list and what belongs to it."""

from __future__ import annotations

from tests.access import PEOPLE, row

LIST_ROWS = [
    row("leads:list", *PEOPLE),
    row("leads:filter", *PEOPLE),
    row("leads:columns", *PEOPLE),
    row("leads:count", *PEOPLE),
    row("leads:counts", *PEOPLE),
    row("leads:export", *PEOPLE),
]
