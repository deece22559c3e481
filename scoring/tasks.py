"""Wake-ups for the services; what is owed stands in the database."""

from celery import shared_task
from django.utils import timezone

from crm.common.loops import work_in_turn
from scoring import services
from scoring.services import predicting
from scoring.services.training import train_waiting


@shared_task(name="scoring.score_due_leads")
def score_due_leads(**_: object) -> None:
    """Run by beat every second; after a full batch more is due."""
    work_in_turn(lambda now: services.score_due_leads(now=now) >= services.BATCH)


@shared_task(name="scoring.score_heavy_leads")
def score_heavy_leads(**_: object) -> None:
    """Run by beat every few seconds; does nothing unless a lead with very many acts is due."""
    work_in_turn(lambda now: services.score_next_heavy_lead(now=now))


@shared_task(name="scoring.publish_due_models")
def publish_due_models(**_: object) -> None:
    """Run by beat every few seconds; does nothing unless a draft's time has come."""
    services.publish_due_models(now=timezone.now())


@shared_task(name="scoring.release_waves")
def release_waves(**_: object) -> None:
    """Run by beat every few seconds; after a full batch more leads wait to be moved."""
    work_in_turn(lambda now: services.release_waves(now=now) == services.RELEASE_BATCH)


@shared_task(name="scoring.renew_scores")
def renew_scores(**_: object) -> None:
    """Run by beat every few seconds; does nothing unless a model was just published."""
    work_in_turn(lambda now: services.renew_scores(now=now))


@shared_task(name="scoring.count_rule_hits")
def count_rule_hits(*, model_id: int, **_: object) -> None:
    """Count for a page that has shown what was known; the next one that is opened asks again."""
    services.count_rule_hits(model_id=model_id, now=timezone.now())


@shared_task(name="scoring.measure_quality")
def measure_quality(**_: object) -> None:
    """Run by beat every few seconds; does nothing unless a report was asked for or is a day old."""
    services.measure_quality(now=timezone.now())


@shared_task(name="scoring.run_back_tests")
def run_back_tests(**_: object) -> None:
    """Run by beat every few seconds; does nothing unless somebody asked for a back-test."""
    work_in_turn(lambda now: services.run_back_tests(now=now))


@shared_task(name="scoring.train_predictive")
def train_predictive(**_: object) -> None:
    """Run by beat every few seconds; does nothing unless somebody asked for a training."""
    train_waiting(now=timezone.now())


@shared_task(name="scoring.renew_predictions")
def renew_predictions(**_: object) -> None:
    """Run by beat every few seconds; does nothing between rounds."""
    work_in_turn(lambda now: predicting.renew_predictions(now=now))
