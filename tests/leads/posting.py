"""What the tests of lead forms post."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

HTMX = {"HX-Request": "true"}
BROKEN = {"nul": "In\x00es", "surrogate": "In\ud800es", "huge": "x" * 100_000}


def raw(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what posts ``fields`` as they are, broken or not."""
    return {
        "data": urlencode(fields, errors="surrogatepass"),
        "content_type": "application/x-www-form-urlencoded",
    }
