"""From what the data suggests to a draft that holds it."""

from __future__ import annotations

from datetime import datetime

from crm.accounts.models import User
from scoring.models import QualityReport, ScoringModel
from scoring.quality.proposals import label_of, with_suggestion
from scoring.quality.results import suggestions_of
from scoring.services.drafting import create_draft
from scoring.services.publishing import published_model


class SuggestionGone(Exception):
    """The report was measured anew since; its suggestions are others now."""

    def __init__(self) -> None:
        """Compose the sentence a person reads."""
        super().__init__("Rule quality was measured anew meanwhile: look at the suggestions again.")


def start_suggested_draft(
    *, report_id: int, number: int, actor: User, now: datetime
) -> ScoringModel:
    """Begin a draft of the model in force with one suggestion of a report in it.

    Args:
        report_id: the report that was read.
        number: the place of the suggestion in it, from 0.
        actor: whose draft it is.
        now: time of the click.

    Raises:
        SuggestionGone: the report or the suggestion is no longer there.
    """
    report = QualityReport.objects.measured().filter(pk=report_id).first()
    suggestions = suggestions_of(report.results) if report and report.results else []
    origin = published_model()
    if origin is None or not 0 <= number < len(suggestions):
        raise SuggestionGone
    suggestion = suggestions[number]
    return create_draft(
        definition=with_suggestion(origin.definition, suggestion),
        now=now,
        note=f"Suggested by rule quality: {label_of(suggestion)}",
        actor=actor,
        based_on=origin,
    )
