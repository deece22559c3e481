"""Who may open the addresses of this app."""

from __future__ import annotations

from tests.access import Row

ROWS: list[Row] = []
