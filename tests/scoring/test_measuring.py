from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from leads.enums import LifecycleStage
from leads.models import Lead, LeadFact
from leads.services import change_stage
from scoring.models import QualityCase, QualityReport, ScoringModel
from scoring.quality.results import LineCounts, LineQuality, lines_of
from scoring.services import latest_report, measure_quality, request_measuring
from scoring.services.measuring import EVERY, MOST_ATTEMPTS
from tests.concurrency import in_thread
from tests.factories import NOW, make_lead
from tests.scoring.logs import document, log_act, publish_model

pytestmark = pytest.mark.django_db

S = LifecycleStage
DAY = timedelta(days=1)
DOWNLOAD = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 10}


def make_mql(*later: LifecycleStage, **fields: object) -> Lead:
    """Make a lead that became MQL ten days ago, and SQL and so on a day later each."""
    lead = make_lead(created_at=NOW - 20 * DAY, **fields)
    for days, stage in enumerate((S.MQL, *later)):
        change_stage(
            lead_id=lead.pk, to_stage=stage, now=NOW - (10 - days) * DAY, override=True, reason="a"
        )
    return lead


def measured(model: ScoringModel | None = None) -> QualityReport:
    if model is None:
        publish_model(document(DOWNLOAD))
    measure_quality(now=NOW)
    return QualityReport.objects.get()


def line(report: QualityReport, label: str) -> LineQuality:
    assert report.results is not None
    return next(each for each in lines_of(report.results) if each.key.label == label)


def test_a_line_counts_what_was_done_and_known_when_the_lead_became_mql() -> None:
    in_time, late, after = make_mql(S.SQL), make_mql(S.SQL), make_mql(S.DISQUALIFIED)
    mql_at = NOW - 10 * DAY
    log_act(in_time.pk, "DOWNLOAD", mql_at)
    log_act(late.pk, "DOWNLOAD", mql_at - DAY, received_at=mql_at + DAY)
    log_act(after.pk, "DOWNLOAD", mql_at + DAY)
    download = line(measured(), "Download")
    assert download.having == LineCounts(leads=1, mqls=1, sqls=1, won=0, refused=0)
    assert download.lacking == LineCounts(leads=2, mqls=2, sqls=1, won=0, refused=0)


def test_who_was_merged_into_another_is_counted_nowhere() -> None:
    kept, gone, idle = make_mql(S.SQL), make_mql(S.DISQUALIFIED), make_lead(created_at=NOW - DAY)
    for lead in (kept, gone, idle):
        log_act(lead.pk, "DOWNLOAD", lead.created_at)
    Lead.objects.filter(pk__in=[gone.pk, idle.pk]).update(merged_into=kept.pk)
    download = line(measured(), "Download")
    assert download.having == LineCounts(leads=1, mqls=1, sqls=1, won=0, refused=0)
    assert list(QualityCase.objects.values_list("lead", flat=True)) == [kept.pk]


def test_leads_that_never_became_mql_count_as_leads_only() -> None:
    make_mql(S.SQL)
    lead = make_lead(country="DE")
    log_act(lead.pk, "DOWNLOAD", NOW - DAY)
    report = measured()
    assert line(report, "Download").having == LineCounts(leads=1)
    assert line(report, "Germany").having == LineCounts(leads=1)


def test_an_attribute_counts_as_it_was_known_then() -> None:
    """Sales wrote the country down after the MQL: then nobody knew it."""
    lead = make_mql(S.SQL, country="DE")
    LeadFact.objects.create(lead=lead, field="country", value="DE", recorded_at=NOW - DAY)
    germany = line(measured(), "Germany")
    assert (germany.having.mqls, germany.lacking.mqls) == (0, 0)


def test_two_cycles_of_a_lead_are_two_cases() -> None:
    lead = make_mql(S.RECYCLED, S.MQL, S.SQL)
    log_act(lead.pk, "DOWNLOAD", NOW - 11 * DAY)
    report = measured()
    cases = QualityCase.objects.filter(report=report).order_by("cycle")
    assert [(case.cycle, case.is_sql, 0 in case.hits) for case in cases] == [
        (1, False, True), (2, True, False),
    ]  # fmt: skip


def test_a_lead_that_came_back_is_one_lead_of_two_mqls() -> None:
    lead = make_mql(S.RECYCLED, S.MQL, S.SQL)
    for days in (8, 11):
        log_act(lead.pk, "DOWNLOAD", NOW - days * DAY)
    download = line(measured(), "Download")
    assert (download.having.leads, download.having.mqls) == (1, 2)


def test_cycles_that_had_no_time_to_become_sql_yet_are_left_out() -> None:
    slow = make_lead(created_at=NOW - 50 * DAY)
    change_stage(lead_id=slow.pk, to_stage=S.MQL, now=NOW - 40 * DAY)
    change_stage(lead_id=slow.pk, to_stage=S.SQL, now=NOW - 20 * DAY, override=True, reason="a")
    make_mql()
    assert list(QualityCase.objects.filter(report=measured()).values_list("lead", flat=True)) == [
        slow.pk
    ]


def test_where_no_history_of_mqls_is_kept_all_leads_are_compared() -> None:
    """As an imported list of converted leads has it: won at once, without steps."""
    lead = make_lead(created_at=NOW - DAY, country="DE")
    change_stage(lead_id=lead.pk, to_stage=S.WON, now=NOW - DAY, override=True, reason="a")
    make_lead(created_at=NOW - DAY, country="AT")
    germany = line(measured(), "Germany")
    assert germany.having == LineCounts(leads=1, mqls=1, sqls=1, won=1)
    assert germany.lacking == LineCounts(leads=1, mqls=1)


def test_the_model_in_force_is_measured_once_a_day_by_itself() -> None:
    model = publish_model(document(DOWNLOAD))
    assert [measure_quality(now=NOW), measure_quality(now=NOW + EVERY / 2)] == [True, False]
    assert measure_quality(now=NOW + EVERY)
    report = latest_report(model)
    assert report is not None
    assert (report.finished_at, QualityReport.objects.count()) == (NOW + EVERY, 1)


def test_nothing_is_measured_before_the_first_model() -> None:
    assert not measure_quality(now=NOW)


def test_a_request_that_waits_is_not_made_twice() -> None:
    model = publish_model(document(DOWNLOAD))
    first = request_measuring(model_id=model.pk, now=NOW)
    assert request_measuring(model_id=model.pk, now=NOW + DAY) == first
    with pytest.raises(IntegrityError), transaction.atomic():
        QualityReport.objects.create(model=model, requested_at=NOW)


def test_measuring_that_never_finishes_is_given_up() -> None:
    """Red without the count: the sweep begins it for ever, and nothing behind it is measured."""
    model = publish_model(document(DOWNLOAD))
    report = request_measuring(model_id=model.pk, now=NOW)
    QualityReport.objects.filter(pk=report.pk).update(attempts=MOST_ATTEMPTS)
    measure_quality(now=NOW)
    report.refresh_from_db()
    assert report.error == "Measuring was begun 3 times and never finished."


@pytest.mark.django_db(transaction=True)
def test_what_another_worker_measures_is_left_to_it() -> None:
    """Red without ``skip_locked``: the second worker waits for the first."""
    model = publish_model(document(DOWNLOAD))
    request_measuring(model_id=model.pk, now=NOW)

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        QualityReport.objects.waiting().select_for_update().get()
        found = in_thread(pool, lambda: measure_quality(now=NOW)).result(timeout=20)

    assert (found, QualityReport.objects.waiting().count()) == (False, 1)
