"""The criteria that the model in force asks, by what people call its rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scoring.services import published_model


def criteria_in_force() -> Iterator[tuple[str, Any]]:
    """Go through the stored trees of the model in force: ``Model v3, “Too small”``."""
    model = published_model()
    for label, tree in _rules(model.definition) if model else ():
        yield f"{model}, \N{LEFT DOUBLE QUOTATION MARK}{label}\N{RIGHT DOUBLE QUOTATION MARK}", tree


def _rules(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for persona in document["fit"].get("personas", []):
        yield from ((rule["label"], rule["criteria"]) for rule in persona["rules"])
    for block in document["mql"].get("blocking", []):
        yield block["label"], block["criteria"]
    for disqualifier in document.get("disqualifiers", []):
        yield disqualifier["reason"], disqualifier["criteria"]
