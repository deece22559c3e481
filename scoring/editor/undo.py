"""One person's last change of a draft, kept with their session so that it can be undone."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from scoring.models import ScoringModel

_KEY = "scoring_undo"


def keep_undo(session: SessionBase, model: ScoringModel, before: Any) -> None:
    """Remember what a draft was before the change that made its present revision."""
    session[_KEY] = {"model": model.pk, "revision": model.revision, "before": before}


def can_undo(session: SessionBase, model: ScoringModel) -> bool:
    """Return whether the last change of a draft is this person's."""
    kept = session.get(_KEY, {})
    return (kept.get("model"), kept.get("revision")) == (model.pk, model.revision)


def take_undo(session: SessionBase, model: ScoringModel) -> Any:
    """Return what a draft was before this person changed it last; None when others did since."""
    return session[_KEY]["before"] if can_undo(session, model) else None
