"""What a publication carries over: who met the definition before, who waits, what is owed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from threading import Event
from typing import Any

import pytest
from django.db import transaction

from leads.signals import stage_changed
from scoring.models import MetBefore
from scoring.services import mark_due, renew_scores, waiting_leads
from tests.concurrency import in_thread
from tests.factories import NOW, make_lead
from tests.scoring.logs import (
    document,
    force_model,
    log_act,
    publish_model,
    score_of,
    settle,
)
from tests.scoring.test_releasing import DAY, HOUR, PUBLISHED_AT, WIDE, stages, widened

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
ONLY_FAST_TRACK = {"cells": ["A1"], "fast_track": [{"kind": "DEMO_REQUEST"}]}


def test_who_met_a_definition_before_waits_for_no_later_version_either() -> None:
    publish_model(WIDE)
    lead = make_lead(country="DE", created_at=NOW - 200 * DAY, imported_at=NOW - 30 * DAY)
    log_act(lead.pk, "DOWNLOAD", NOW - 31 * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    for number, cells in enumerate((["B4", "C4"], ["B4", "C4", "C1"], ["B4"])):
        published_at = PUBLISHED_AT + number * HOUR
        force_model(document(mql={"cells": cells}), now=published_at)
        renew_scores(now=published_at)
        settle(published_at)
        assert list(MetBefore.objects.values_list("lead", flat=True)) == [lead.pk]
        assert list(chain(*waiting_leads(now=PUBLISHED_AT))) == []


def test_who_dropped_out_of_the_definition_newly_meets_a_later_one() -> None:
    publish_model(WIDE)
    lead = make_lead(country="DE", created_at=NOW - 200 * DAY, imported_at=NOW - 30 * DAY)
    log_act(lead.pk, "DOWNLOAD", NOW - 31 * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    for number, cells in enumerate((["A1"], WIDE["mql"]["cells"])):
        force_model({**WIDE, "mql": {"cells": cells}}, now=PUBLISHED_AT + number * HOUR)
        renew_scores(now=PUBLISHED_AT + number * HOUR)
    assert list(chain(*waiting_leads(now=PUBLISHED_AT))) == [lead]


def test_who_waits_goes_on_waiting_when_two_versions_follow_before_the_re_score() -> None:
    leads = widened(2)
    for number, cells in enumerate((["B4", "C1"], ["B4", "C1", "C2"]), 1):
        force_model(document(mql={"cells": cells}), now=PUBLISHED_AT + number * HOUR)
    renew_scores(now=PUBLISHED_AT + 2 * HOUR)
    assert set(chain(*waiting_leads(now=PUBLISHED_AT))) == set(leads)


def test_who_met_a_definition_before_is_remembered_when_two_versions_follow_at_once() -> None:
    publish_model(WIDE)
    lead = make_lead(country="DE", created_at=NOW - 200 * DAY, imported_at=NOW - 30 * DAY)
    log_act(lead.pk, "DOWNLOAD", NOW - 31 * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    for number in range(2):
        force_model(document(mql={"cells": ["B4", "C4"]}), now=PUBLISHED_AT + number * HOUR)
    renew_scores(now=PUBLISHED_AT + HOUR)
    assert list(chain(*waiting_leads(now=PUBLISHED_AT))) == []


def test_what_was_done_before_the_first_model_moves_nobody_and_no_score_is_written_for_it() -> None:
    """Red when the first publication settles all news itself: in one statement over all leads."""
    lead = make_lead(country="DE", created_at=NOW - DAY)
    log_act(lead.pk, "DEMO_REQUEST", NOW - DAY)
    mark_due(lead_ids=[lead.pk], now=NOW - DAY)

    force_model(now=NOW)
    force_model(now=NOW)
    assert score_of(lead).has_news
    renew_scores(now=NOW)
    settle()
    assert stages() == ["LEAD"]

    mark_due(lead_ids=[lead.pk], now=NOW + SECOND)
    settle(NOW + SECOND)
    assert stages() == ["MQL"]


def test_who_raised_a_hand_just_before_a_publication_becomes_an_mql_after_it() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    log_act(lead.pk, "DEMO_REQUEST", NOW)
    mark_due(lead_ids=[lead.pk], now=NOW)
    for number in (1, 2):
        force_model(now=NOW + number * SECOND)
    renew_scores(now=NOW + 3 * SECOND)
    settle(NOW + 3 * SECOND)
    assert stages() == ["MQL"]


@pytest.mark.parametrize(
    ("kind", "definition"), [("DOWNLOAD", WIDE), ("DEMO_REQUEST", document(mql=ONLY_FAST_TRACK))]
)
def test_a_move_that_was_put_off_is_made_though_a_model_was_published_meanwhile(
    kind: str, definition: dict[str, Any]
) -> None:
    publish_model(definition)
    lead = make_lead(country="DE", created_at=NOW - DAY)
    log_act(lead.pk, kind, NOW)
    mark_due(lead_ids=[lead.pk], now=NOW)

    def refuse(**_: object) -> None:
        raise RuntimeError

    stage_changed.connect(refuse)
    try:
        settle()
    finally:
        stage_changed.disconnect(refuse)
    assert stages() == ["LEAD"]
    force_model(definition, now=NOW + 60 * SECOND)
    renew_scores(now=NOW + 60 * SECOND)
    settle(NOW + HOUR)
    assert stages() == ["MQL"]


def test_an_import_just_before_a_publication_waits_for_a_wave() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - 9 * DAY, imported_at=NOW)
    log_act(lead.pk, "DOWNLOAD", NOW - DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    force_model(WIDE, now=NOW + SECOND)
    renew_scores(now=NOW + SECOND)
    settle(NOW + HOUR)
    assert list(chain(*waiting_leads(now=PUBLISHED_AT))) == [lead]


@pytest.mark.django_db(transaction=True)
def test_news_that_are_committed_after_a_publication_count_under_it() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    is_marked, is_published = Event(), Event()

    def absorb() -> None:
        with transaction.atomic():
            log_act(lead.pk, "DEMO_REQUEST", NOW)
            mark_due(lead_ids=[lead.pk], now=NOW)
            is_marked.set()
            is_published.wait(timeout=20)

    with ThreadPoolExecutor() as pool:
        absorbing = in_thread(pool, absorb)
        assert is_marked.wait(timeout=20)
        force_model(now=NOW + SECOND)
        is_published.set()
        absorbing.result()
    while renew_scores(now=NOW + 2 * SECOND):
        pass
    settle(NOW + 3 * SECOND)
    assert stages() == ["MQL"]


def test_news_that_were_acted_on_are_none_under_the_next_model() -> None:
    publish_model(document(mql={"cells": ["A1"]}))
    lead = make_lead(country="DE", created_at=NOW - DAY)
    log_act(lead.pk, "DOWNLOAD", NOW)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    force_model(WIDE, now=PUBLISHED_AT)
    mark_due(lead_ids=[lead.pk], now=PUBLISHED_AT, is_news=False)
    settle(PUBLISHED_AT)
    assert stages() == ["LEAD"]


def test_who_met_a_definition_before_is_remembered_while_imported_acts_wait_for_the_sweep() -> None:
    publish_model(WIDE)
    lead = make_lead(country="DE", created_at=NOW - 200 * DAY, imported_at=NOW - 30 * DAY)
    log_act(lead.pk, "DOWNLOAD", NOW - 31 * DAY)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    log_act(lead.pk, "DOWNLOAD", NOW - 32 * DAY)
    mark_due(lead_ids=[lead.pk], now=PUBLISHED_AT - HOUR)
    force_model(document(mql={"cells": ["B4", "C4"]}), now=PUBLISHED_AT)
    renew_scores(now=PUBLISHED_AT)
    settle(PUBLISHED_AT)
    assert list(chain(*waiting_leads(now=PUBLISHED_AT))) == []
