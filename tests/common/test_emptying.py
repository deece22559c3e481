"""What cleans up after every test with real transactions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from engagement.models import Event
from leads.models import Lead, StageInterval
from tests.concurrency import in_thread
from tests.emptying import empty_database, may_pass_by_guards
from tests.factories import NOW, make_lead
from tests.scoring.logs import log_act

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _superuser(db: None) -> None:
    if not may_pass_by_guards():
        pytest.skip("this role cannot; Django's flush is used")


def test_all_rows_go_guarded_or_not_and_what_django_fills_stays() -> None:
    log_act(make_lead(created_at=NOW - timedelta(days=1)).pk, "DOWNLOAD")
    types = ContentType.objects.count()

    empty_database()

    assert not any(model.objects.exists() for model in (Lead, StageInterval, Event))
    assert ContentType.objects.count() == types > 0


def test_what_somebody_still_writes_goes_too() -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            make_lead()
            emptying = in_thread(pool, empty_database)
            with pytest.raises(TimeoutError):
                emptying.result(timeout=0.3)
        emptying.result(timeout=20)

    assert not Lead.objects.exists()
