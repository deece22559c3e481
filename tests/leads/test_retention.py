"""What became of each lead or line is kept for 90 days; who did what to how many stays."""

from datetime import timedelta

import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.bulk.jobs import BulkRefused, resume_job, stop_job, undo_job
from leads.enums import ImportKind, ImportState
from leads.models import BulkRow, ImportJob, ImportRow
from leads.services import forget_results
from leads.services.retention import KEPT
from tests.factories import NOW, client_of, make_lead, make_user
from tests.leads.bulk import order, work_off

pytestmark = pytest.mark.django_db
OVER = NOW + KEPT + timedelta(seconds=1)


@pytest.fixture
def marketer() -> User:
    make_lead()
    return make_user(Role.MARKETER)


def test_the_leads_of_a_job_are_forgotten_after_ninety_days(marketer: User) -> None:
    job = work_off(order(marketer))

    assert not forget_results(now=NOW + KEPT)
    assert forget_results(now=OVER)
    assert not forget_results(now=OVER)

    job.refresh_from_db()
    assert (BulkRow.objects.count(), job.row_count, job.is_forgotten) == (0, 1, True)
    page = client_of(marketer).get(reverse("leads:bulk_job", args=[job.pk])).content.decode()
    assert "It took in 1 lead. What became of each is kept for 90 days." in page
    assert "Result as CSV" not in page


def test_what_is_forgotten_is_neither_taken_back_nor_gone_on_with(marketer: User) -> None:
    done, stopped = work_off(order(marketer)), work_off(order(marketer))
    type(stopped).objects.filter(pk=stopped.pk).update(state="FAILED", error="Stopped")
    while forget_results(now=OVER):
        pass

    with pytest.raises(BulkRefused, match="kept no longer"):
        undo_job(job_id=done.pk, actor=marketer, now=OVER)
    with pytest.raises(BulkRefused, match="kept no longer"):
        resume_job(job_id=stopped.pk)


def test_what_is_being_taken_back_is_kept_until_that_is_over(marketer: User) -> None:
    job = work_off(order(marketer))
    undoing = undo_job(job_id=job.pk, actor=marketer, now=NOW)

    assert not forget_results(now=OVER)

    stop_job(job_id=undoing.pk, now=OVER, error="Stopped")
    assert forget_results(now=OVER)


def test_the_lines_of_an_import_are_forgotten_too(marketer: User) -> None:
    job = ImportJob.objects.create(
        kind=ImportKind.LEADS, state=ImportState.DONE, filename="a.csv", path="a.csv",
        created_by=marketer, created_at=NOW, finished_at=NOW, line_count=1, is_staged=True,
    )  # fmt: skip
    ImportRow.objects.create(job=job, line=2, cells=["ines@kesterwald.example"])

    assert forget_results(now=OVER)

    job.refresh_from_db()
    assert (ImportRow.objects.count(), job.is_forgotten) == (0, True)
    page = client_of(marketer).get(reverse("leads:import", args=[job.pk])).content.decode()
    assert "It had 1 line. What became of each is kept for 90 days." in page
