"""Work on many leads while others are at the same leads."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection, transaction

from crm.accounts.enums import Role
from leads.bulk.jobs import counts, run_step, sweep_jobs
from leads.enums import BulkResult, BulkState
from leads.models import Lead, LeadFact
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import NOW, make_lead, make_user
from tests.leads.bulk import order
from tests.processes import database_url


@pytest.mark.django_db(transaction=True)
def test_a_job_that_waited_too_long_for_a_lead_tries_again_instead_of_stopping() -> None:
    lead = make_lead()
    job = order(make_user(Role.MARKETER))
    assert sweep_jobs(NOW)  # taken in
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT FROM leads_lead WHERE id = %s FOR UPDATE", [lead.pk])

        assert not sweep_jobs(NOW)
    connection.close()

    job.refresh_from_db()
    assert job.state == BulkState.RUNNING
    while sweep_jobs(NOW):
        pass
    assert counts(job)[BulkResult.DONE] == 1


@pytest.mark.django_db(transaction=True)
def test_a_tag_that_somebody_else_writes_meanwhile_is_kept() -> None:
    """Red when the chunk does not lock its leads: the tag of the other one is written over."""
    lead = make_lead()
    job = order(make_user(Role.MARKETER))
    assert sweep_jobs(NOW)  # taken in

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Lead.objects.filter(pk=lead.pk).update(tags=["Key account"])
            tagging = in_thread(pool, lambda: run_step(job_id=job.pk, now=NOW))
            wait_until_blocked(tagging)
        tagging.result(20)

    assert Lead.objects.get().tags == ["Key account", "Fair"]


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_leaves_the_job_to_the_first() -> None:
    """Red when a step does not hold the job: both do the chunk, or the second waits for it."""
    lead = make_lead()
    job = order(make_user(Role.MARKETER))
    assert sweep_jobs(NOW)  # taken in

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Lead.objects.select_for_update().get(pk=lead.pk)
            first = in_thread(pool, lambda: run_step(job_id=job.pk, now=NOW))
            wait_until_blocked(first)
            second = in_thread(pool, lambda: run_step(job_id=job.pk, now=NOW))
            assert second.result(10) is False
        first.result(20)

    assert LeadFact.objects.filter(field="tags").count() == 1
