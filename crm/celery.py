"""The Celery application and its ticks: each is a wake-up that a lost message only delays."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

app = Celery("baton")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _tick(task: str, *, queue: str, every: float) -> dict[str, object]:
    """Return a beat entry that expires before the next one is due, so ticks never pile up."""
    return {"task": task, "schedule": every, "options": {"queue": queue, "expires": every}}


app.conf.beat_schedule = {
    "enforce deadlines": _tick("handoff.enforce_deadlines", queue="sla", every=2.0),
    "absorb events": _tick("engagement.absorb_events", queue="events", every=1.0),
    "score due leads": _tick("scoring.score_due_leads", queue="events", every=1.0),
    "score heavy leads": _tick("scoring.score_heavy_leads", queue="bulk", every=3.0),
    "publish due models": _tick("scoring.publish_due_models", queue="bulk", every=5.0),
    "measure rule quality": _tick("scoring.measure_quality", queue="bulk", every=10.0),
    "release waves": _tick("scoring.release_waves", queue="bulk", every=5.0),
    "renew scores": _tick("scoring.renew_scores", queue="bulk", every=5.0),
    "run back-tests": _tick("scoring.run_back_tests", queue="bulk", every=3.0),
    "train predictive": _tick("scoring.train_predictive", queue="bulk", every=5.0),
    "renew predictions": _tick("scoring.renew_predictions", queue="bulk", every=10.0),
    "dispatch outbox": _tick("common.dispatch_outbox", queue="outbox", every=2.0),
    "record attendance": _tick("engagement.record_attendance", queue="bulk", every=3.0),
    "follow merges": _tick("engagement.follow_merges", queue="bulk", every=3.0),
    "run imports": _tick("leads.run_imports", queue="bulk", every=3.0),
    "run bulk jobs": _tick("leads.run_bulk_jobs", queue="bulk", every=2.0),
    "wake leads": _tick("leads.wake_leads", queue="bulk", every=10.0),
    "mark duplicates": _tick("leads.mark_duplicates", queue="bulk", every=10.0),
    "count splits": _tick("reports.count_splits", queue="bulk", every=10.0),
    "count SLA days": _tick("reports.count_sla_days", queue="bulk", every=20.0),
    "count funnel days": _tick("reports.count_funnel_days", queue="bulk", every=20.0),
    "renew public holidays": _tick("handoff.renew_public_holidays", queue="bulk", every=3600.0),
    "remove old uploads": _tick("leads.remove_old_uploads", queue="bulk", every=3600.0),
    "forget results": _tick("leads.forget_results", queue="bulk", every=3600.0),
    "remove refused": _tick("engagement.remove_refused", queue="bulk", every=3600.0),
    "remove old forms": _tick("common.remove_old_forms", queue="bulk", every=3600.0),
    "keep event partitions": _tick("engagement.keep_partitions", queue="bulk", every=3600.0),
}
