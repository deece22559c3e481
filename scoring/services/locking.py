"""Taking hold of a draft, or of the model in force, until the transaction ends."""

from __future__ import annotations

from crm.common.locks import hold, lock_writes, share
from scoring.models import ScoringModel

_IN_FORCE = "scoring model in force"


def keep_in_force() -> None:
    """Let no other model come into force until the transaction ends; if one is about to, wait."""
    share(_IN_FORCE)


def switch_force() -> None:
    """Wait for those who act by the model in force; nobody does until the transaction ends."""
    hold(_IN_FORCE)


class NotADraft(Exception):
    """Only a draft can be changed, approved or published."""

    def __init__(self, model: ScoringModel) -> None:
        """Compose the sentence a person reads."""
        state = "discarded" if model.was_discarded else model.get_state_display().lower()
        super().__init__(f"{model} is {state}, not a draft")


class DraftChanged(Exception):
    """Somebody changed the draft since it was read; ``model`` is the draft as it stands now."""

    def __init__(self, model: ScoringModel) -> None:
        """Compose the sentence a person reads."""
        who = model.changed_by or "Somebody"
        when = f" at {model.changed_at:%H:%M %Z on %-d %B}" if model.changed_at else ""
        super().__init__(
            f"{who} changed {model}{when}, after you opened it. Nothing of yours is saved yet:"
            " look at the draft as it is now, then make your change again."
        )
        self.model = model


def lock_draft(model_id: int, *, revision: int | None = None) -> ScoringModel:
    """Return a draft that nobody else writes until the transaction ends.

    Args:
        model_id: the draft.
        revision: what the caller read; None where it does not matter.

    Raises:
        NotADraft: it is, or was, in force, or was discarded.
        DraftChanged: it has another revision by now.
    """
    lock_writes(ScoringModel)
    model = ScoringModel.objects.select_related("changed_by").get(pk=model_id)
    if not model.is_draft:
        raise NotADraft(model)
    if revision is not None and model.revision != revision:
        raise DraftChanged(model)
    return model
