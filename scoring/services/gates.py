"""What must be done before a draft comes into force."""

from __future__ import annotations

from datetime import datetime

from scoring.models import ScoringModel
from scoring.slots import Gate, publishing_gates


def gates_of(model: ScoringModel, *, now: datetime) -> list[Gate]:
    """Return the gates of a draft for its present revision, in the order of the draft banner."""
    asked = (gate.ask(model, now) for gate in publishing_gates)
    return [_approval(model), *(gate for gate in asked if gate)]


def _approval(model: ScoringModel) -> Gate:
    todo = f"Ask a second person to approve {model} before it is published."
    if model.approval_requested_by and not model.approved_by:
        todo = (
            f"{model.approval_requested_by} asked for approval: a second person approves {model}."
        )
    return Gate(
        name="approval",
        label="Second person approves",
        is_done=model.approved_revision == model.revision,
        todo=todo,
        done_at=model.approved_at,
        done_by=model.approved_by,
    )
