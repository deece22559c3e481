"""The MQL definition, as the grade cells of handoff pages are drawn against it."""

from __future__ import annotations

from scoring.services import definition_of, published_model


def mql_cells() -> frozenset[str]:
    """Return the grid cells of the published definition; none before a model was published."""
    model = published_model()
    return definition_of(model).cells if model else frozenset()
