"""The life of a back-test: asked for, run in pieces, summed up, void once the draft changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from leads.enums import LifecycleStage
from leads.models import Lead, LeadFact
from leads.services import change_stage
from scoring import services
from scoring.enums import BackTestChange, BackTestState
from scoring.models import BackTest, BackTestPiece, ScoringModel
from scoring.services import backtesting
from scoring.services.drafting import change_draft
from scoring.services.publishing import published_model
from tests.factories import NOW, make_lead, make_user
from tests.scoring.drafts import make_draft
from tests.scoring.logs import document, log_act, publish_model

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
START = NOW - timedelta(days=30)


def downloads(points: float) -> dict[str, Any]:
    rule = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": points}
    return document({**rule, "half_life_days": 10})


def buyer(*hours: int, sql_after: int | None = None) -> int:
    """Make a lead of grade B that downloads so many hours after its capture."""
    lead = make_lead(country="DE", created_at=START)
    LeadFact.objects.create(lead=lead, field="country", value="DE", recorded_at=START)
    for hour in hours:
        log_act(lead.pk, "DOWNLOAD", START + hour * HOUR)
    if sql_after:
        for stage in (LifecycleStage.MQL, LifecycleStage.SAL, LifecycleStage.SQL):
            at = START + sql_after * HOUR
            change_stage(lead_id=lead.pk, to_stage=stage, now=at, actor=make_user(), reason="x")
    return lead.pk


def start(draft: ScoringModel) -> BackTest:
    return services.start_back_test(model_id=draft.pk, actor=make_user(), now=NOW)


def finish(back_test: BackTest) -> BackTest:
    while services.run_back_tests(now=NOW):
        pass
    back_test.refresh_from_db()
    return back_test


def test_what_sales_qualified_and_lost_was_not_given_back() -> None:
    publish_model(downloads(30))
    lost = buyer(1, 2, sql_after=40)
    for hours, stage in ((60, LifecycleStage.LOST), (80, LifecycleStage.RECYCLED)):
        change_stage(
            lead_id=lost, to_stage=stage, now=START + hours * HOUR, actor=make_user(), reason="x"
        )
    done = finish(start(make_draft(downloads(55))))
    assert done.results["sides"]["draft"]["refused"] == 0
    assert {told["refused"] for told in done.results["changes"].values()} == {0}
    assert not done.cycles.filter(refused_at__isnull=False).exists()


def test_a_back_test_says_what_a_draft_changes_for_each_lead() -> None:
    publish_model(downloads(30))
    gained, same = buyer(1), buyer(1, 2, sql_after=40)
    neither = buyer()

    done = finish(start(make_draft(downloads(55))))

    changes = dict(done.cycles.values_list("lead", "change"))
    assert done.state == BackTestState.DONE
    assert changes == {
        gained: BackTestChange.GAINED,
        same: BackTestChange.EARLIER,
        neither: BackTestChange.NEITHER,
    }
    draft, former = done.results["sides"]["draft"], done.results["sides"]["former"]
    assert (draft["mqls"], former["mqls"]) == (2, 1)
    assert (draft["decided"], draft["became_sql"], draft["sqls"]) == (1, 1, 1)
    # an SQL 40 hours after its capture, an MQL after one hour and after two
    assert draft["days_ahead"] == pytest.approx(39 / 24)
    assert former["days_ahead"] == pytest.approx(38 / 24)


def test_who_was_merged_into_another_has_no_part_in_it() -> None:
    kept, gone = buyer(1), buyer(1, 2, sql_after=40)
    Lead.objects.filter(pk=gone).update(merged_into=kept)

    done = finish(start(make_draft(downloads(55))))

    assert (done.lead_count, done.leads_done) == (1, 1)
    assert list(done.cycles.values_list("lead", flat=True)) == [kept]


def test_before_there_is_a_model_a_draft_is_replayed_alone() -> None:
    buyer(1)

    done = finish(start(make_draft(downloads(55))))

    assert published_model() is None
    assert list(done.results["sides"]) == ["draft"]
    assert done.cycles.get().change == BackTestChange.GAINED


def test_a_back_test_is_worked_off_in_pieces() -> None:
    publish_model(downloads(30))
    leads = [buyer(1, 2) for _ in range(3)]
    back_test = start(make_draft(downloads(55)))
    services.run_back_tests(now=NOW)
    divide(back_test, leads)

    services.run_back_tests(now=NOW)

    back_test.refresh_from_db()
    assert (back_test.state, back_test.leads_done) == (BackTestState.RUNNING, 1)
    assert list(back_test.cycles.values_list("lead", flat=True)) == leads[:1]
    done = finish(back_test)
    assert sorted(done.cycles.values_list("lead", flat=True)) == leads
    assert (done.leads_done, done.pieces.count()) == (3, 0)


def divide(back_test: BackTest, leads: list[int]) -> None:
    """Make each lead a piece of its own."""
    back_test.pieces.all().delete()
    BackTestPiece.objects.bulk_create(
        BackTestPiece(back_test=back_test, first_lead=lead, last_lead=lead, lead_count=1)
        for lead in leads
    )


def test_a_back_test_is_for_one_revision() -> None:
    draft = make_draft(downloads(55))
    old = finish(start(draft))
    assert BackTest.objects.finished_for(draft) == old

    changed = change_draft(
        model_id=draft.pk, revision=draft.revision, definition=downloads(56),
        actor=make_user(), now=NOW,
    ).model  # fmt: skip

    assert BackTest.objects.finished_for(changed) is None


def test_a_back_test_ends_when_its_draft_changes() -> None:
    draft = make_draft(downloads(55))
    back_test = start(draft)
    change_draft(
        model_id=draft.pk, revision=draft.revision, definition=downloads(56),
        actor=make_user(), now=NOW,
    )  # fmt: skip

    done = finish(back_test)

    assert (done.state, done.error) == (BackTestState.FAILED, "The draft was changed.")


def test_one_back_test_of_a_revision_runs_at_a_time() -> None:
    draft = make_draft()
    start(draft)

    with pytest.raises(services.BackTestRefused, match="already"):
        start(draft)


def test_the_database_keeps_a_second_one_out() -> None:
    back_test = start(make_draft())
    back_test.pk = None

    with pytest.raises(IntegrityError, match="back_test_one_at_a_time"), transaction.atomic():
        back_test.save(force_insert=True)


def test_the_database_keeps_a_piece_in_order() -> None:
    back_test = start(make_draft())

    with pytest.raises(IntegrityError, match="back_test_piece_has_leads"), transaction.atomic():
        back_test.pieces.create(first_lead=2, last_lead=1, lead_count=0)


def test_what_is_in_force_is_not_back_tested() -> None:
    with pytest.raises(services.NotADraft):
        start(publish_model())


def test_a_stopped_back_test_shows_nothing() -> None:
    draft = make_draft(downloads(55))
    back_test = start(draft)

    services.stop_back_test(back_test_id=back_test.pk, error="Stopped by Lena.", now=NOW)

    assert finish(back_test).state == BackTestState.FAILED
    assert BackTest.objects.finished_for(draft) is None


def test_a_piece_that_was_stopped_meanwhile_writes_nothing() -> None:
    buyer(1)
    back_test = start(make_draft(downloads(55)))
    services.run_back_tests(now=NOW)
    [piece] = back_test.pieces.all()
    services.stop_back_test(back_test_id=back_test.pk, error="Stopped by Lena.", now=NOW)

    assert not backtesting._advance(back_test, piece)


def test_running_again_replaces_the_figures() -> None:
    draft = make_draft(downloads(55))
    finish(start(draft))

    again = finish(start(draft))

    assert list(BackTest.objects.all()) == [again]


def test_a_fault_is_told_and_leaves_the_next_one_alone() -> None:
    publish_model(downloads(30))
    buyer(1)
    broken, fine = start(make_draft(downloads(55))), start(make_draft(downloads(56)))
    ScoringModel.objects.filter(pk=broken.model_id).update(definition={})

    finish(fine)
    broken.refresh_from_db()

    assert (broken.state, fine.state) == (BackTestState.FAILED, BackTestState.DONE)
    assert broken.error == "An unforeseen error; the log of the worker has it."


@pytest.mark.django_db(transaction=True)
def test_two_workers_take_two_pieces_and_one_of_them_sums_up() -> None:
    publish_model(downloads(30))
    leads = [buyer(1), buyer(1)]
    back_test = start(make_draft(downloads(55)))
    services.run_back_tests(now=NOW)
    divide(back_test, leads)

    with another_transaction() as other:
        other.execute(
            "SELECT FROM scoring_backtestpiece WHERE first_lead = %s FOR UPDATE", [leads[0]]
        )
        assert services.run_back_tests(now=NOW) is True
        assert services.run_back_tests(now=NOW) is False
        assert list(back_test.cycles.values_list("lead", flat=True)) == leads[1:]
    assert services.run_back_tests(now=NOW) is True

    with another_transaction() as other:
        other.execute("SELECT FROM scoring_backtest WHERE id = %s FOR UPDATE", [back_test.pk])
        assert services.run_back_tests(now=NOW) is False
    assert finish(back_test).state == BackTestState.DONE


@contextmanager
def another_transaction() -> Iterator[Any]:
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            yield cursor
        other.rollback()
    finally:
        other.close()
