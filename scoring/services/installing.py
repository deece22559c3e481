"""The first model of an installation, before there is anybody to approve one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from crm.accounts.models import User
from scoring.models import ScoringModel
from scoring.presets import default_definition
from scoring.services.drafting import create_draft
from scoring.services.publishing import definition_of, published_model, put_in_force


class ModelInForce(Exception):
    """There is a model already: another comes into force as a draft that somebody approves."""

    def __init__(self, model: ScoringModel) -> None:
        """Compose the sentence a person reads."""
        super().__init__(f"{model} is in force: draft the next version from it")


def ensure_model(*, now: datetime) -> ScoringModel:
    """Return the model in force; an installation without one gets the shipped model."""
    return published_model() or install_model(
        definition=default_definition(), now=now, note="Shipped with Baton"
    )


@transaction.atomic
def install_model(
    *, definition: object, now: datetime, note: str = "", actor: User | None = None
) -> ScoringModel:
    """Put the first model in force, without the gates: nothing was there to compare it with.

    Raises:
        ModelInForce: there is one already.
        DefinitionInvalid: naming every fault of the document.
    """
    draft = create_draft(definition=definition, now=now, note=note, actor=actor)
    definition_of(draft)
    if (model := published_model()) is not None:
        raise ModelInForce(model)
    put_in_force(draft, now=now, actor=actor)
    return draft
