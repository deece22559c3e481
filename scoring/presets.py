"""The model that Baton ships with: data, to be changed in the editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_DEFAULT = Path(__file__).with_name("default_model.json")


def default_definition() -> dict[str, Any]:
    """Return the document of the shipped model, a new copy each time."""
    document: dict[str, Any] = json.loads(_DEFAULT.read_text(encoding="utf-8"))
    return document
