"""Work on many leads whose worker is killed in the middle: it goes on, and does nothing twice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from crm.accounts.enums import Role
from leads.bulk.jobs import CHUNK, counts
from leads.enums import BulkResult, BulkState
from leads.models import BulkJob, Lead, LeadFact
from scoring.services import mark_due
from tests.factories import make_lead, make_user
from tests.faults.background import Background
from tests.leads.bulk import order
from tests.processes import database_url, wait_for
from tests.scoring.logs import publish_model

pytestmark = [
    pytest.mark.faults,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

LEADS = 2 * CHUNK + 20


@contextmanager
def held_by_somebody_else(lead: Lead) -> Iterator[None]:
    """Let another connection hold the row of ``lead`` while the block runs."""
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT FROM leads_lead WHERE id = %s FOR UPDATE", [lead.pk])
        yield


def somebody_waits_for_a_row() -> bool:
    """Say whether a statement on leads waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query LIKE '%%leads_lead%%'"
        )
        [waiting] = cursor.fetchone()
    return bool(waiting)


@pytest.mark.parametrize("kill", [Background.kill, Background.kill_child])
def test_work_on_many_leads_goes_on_after_the_last_chunk_done(
    background: Background, kill: Callable[[Background, str], None]
) -> None:
    publish_model()
    mark_due(lead_ids=[make_lead().pk for _ in range(LEADS)], now=timezone.now())
    marketer = make_user(Role.MARKETER)
    with held_by_somebody_else(Lead.objects.latest("pk")):  # of the last chunk
        job = order(marketer)
        wait_for(lambda: counts(job)[BulkResult.DONE] == 2 * CHUNK)
        wait_for(somebody_waits_for_a_row)
        kill(background, "worker-bulk")
        job.refresh_from_db()
        assert (job.state, counts(job)[BulkResult.DONE]) == (BulkState.RUNNING, 2 * CHUNK)

    wait_for(lambda: BulkJob.objects.filter(state=BulkState.DONE).exists(), seconds=60)

    assert counts(job)[BulkResult.DONE] == LEADS
    tagged = LeadFact.objects.filter(field="tags").values("lead").annotate(times=Count("id"))
    assert list(tagged.values_list("times", flat=True)) == [1] * LEADS
    assert Lead.objects.filter(tags=["Fair"]).count() == LEADS
