"""What must be done before a draft comes into force."""

from __future__ import annotations

from datetime import datetime

from scoring.models import BackTest, ScoringModel
from scoring.slots import Gate, publishing_gates


def gates_of(model: ScoringModel, *, now: datetime) -> list[Gate]:
    """Return the gates of a draft for its present revision, in the order of the draft banner."""
    asked = (gate.ask(model, now) for gate in publishing_gates)
    return [_back_test(model), _approval(model), *(gate for gate in asked if gate)]


def _back_test(model: ScoringModel) -> Gate:
    done = BackTest.objects.finished_for(model)
    return Gate(
        name="back_test",
        label="Back-tested",
        is_done=done is not None,
        todo=f"Back-test {model} as it is now, and wait for the result.",
        done_at=done.finished_at if done else None,
        done_by=done.requested_by if done else None,
    )


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
