"""Work on many leads while others are at the same leads."""

import psycopg
import pytest
from django.db import connection

from crm.accounts.enums import Role
from leads.bulk.jobs import counts, sweep_jobs
from leads.enums import BulkResult, BulkState
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
