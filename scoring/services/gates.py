"""What must be done before a draft comes into force."""

from __future__ import annotations

from datetime import datetime

from scoring.models import BackTest, ScoringModel
from scoring.slots import Gate, publishing_gates


def gates_of(model: ScoringModel, *, now: datetime) -> list[Gate]:
    """Return the gates of a draft for its present revision, in the order of the draft banner.

    A draft replaces the whole document, so what was said of it beside a model that is no longer in
    force does not hold: it would undo what came into force since, and nobody would have seen that.
    """
    in_force = ScoringModel.objects.in_force()
    asked = (gate.ask(model, now) for gate in publishing_gates)
    own = [_back_test(model, in_force), _approval(model, in_force)]
    return [*own, *(gate for gate in asked if gate)]


def is_approved(model: ScoringModel, in_force: ScoringModel | None) -> bool:
    """Return whether a second person approved a draft as it is, beside the model in force."""
    if model.approved_at is None or model.approved_revision != model.revision:
        return False
    since = in_force.published_at if in_force else None
    return since is None or model.approved_at >= since


def _back_test(model: ScoringModel, in_force: ScoringModel | None) -> Gate:
    done = BackTest.objects.finished_for(model)
    todo = f"Back-test {model} as it is now, and wait for the result."
    is_done = done is not None and done.former_id == (in_force.pk if in_force else None)
    if done and not is_done:
        todo = f"Back-test {model} again: {in_force} came into force since."
    return Gate(
        name="back_test",
        label="Back-tested",
        is_done=is_done,
        todo=todo,
        done_at=done.finished_at if done else None,
        done_by=done.requested_by if done else None,
    )


def _approval(model: ScoringModel, in_force: ScoringModel | None) -> Gate:
    return Gate(
        name="approval",
        label="Second person approves",
        is_done=is_approved(model, in_force),
        todo=_approval_todo(model, in_force),
        done_at=model.approved_at,
        done_by=model.approved_by,
    )


def _approval_todo(model: ScoringModel, in_force: ScoringModel | None) -> str:
    if model.approved_by:
        return f"Approve {model} again: {in_force} came into force since. See what it changes now."
    if asker := model.approval_requested_by:
        return f"{asker} asked for approval: a second person approves {model}."
    return f"Ask a second person to approve {model} before it is published."
