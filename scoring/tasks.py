"""Wake-ups for the services; what is owed stands in the database."""

from celery import shared_task
from django.utils import timezone

from scoring import services


@shared_task(name="scoring.score_due_leads")
def score_due_leads(**_: object) -> None:
    """Run by beat every second; after a full batch more is due, so the clock is read anew."""
    while services.score_due_leads(now=timezone.now()) == services.BATCH:
        pass


@shared_task(name="scoring.renew_scores")
def renew_scores(**_: object) -> None:
    """Run by beat every few seconds; does nothing unless a model was just published."""
    while services.renew_scores(now=timezone.now()):
        pass
