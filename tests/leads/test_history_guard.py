"""What the database refuses, whoever writes: every test here writes around the services."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from leads.enums import LifecycleStage as Stage
from leads.models import (
    Company,
    Deal,
    ExternalId,
    ImportJob,
    ImportRow,
    Lead,
    LeadAttribute,
    StageInterval,
)
from leads.services import change_stage, create_lead
from tests.factories import NOW, make_lead

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def check_now() -> None:
    """Run the checks that wait for the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def add_interval(
    lead: Lead, sequence: int, ended_at: datetime | None = None, **fields: object
) -> None:
    StageInterval.objects.create(
        **{
            "lead": lead,
            "sequence": sequence,
            "stage": lead.stage,
            "cycle": lead.cycle,
            "started_at": NOW,
            "ended_at": ended_at,
            **fields,
        }
    )


def bare_lead(**fields: object) -> Lead:
    """Return a lead without any stage history."""
    moments = {"created_at": NOW, "stage_since": NOW, "last_activity_at": NOW}
    return Lead.objects.create(**{**moments, **fields})


def test_a_whole_history_is_accepted() -> None:
    lead = create_lead(now=NOW, first_name="Ines")
    change_stage(lead_id=lead.pk, to_stage=Stage.MQL, now=NOW + HOUR)
    change_stage(lead_id=lead.pk, to_stage=Stage.RECYCLED, now=NOW + HOUR)
    change_stage(lead_id=lead.pk, to_stage=Stage.MQL, now=NOW + 2 * HOUR)

    check_now()


def test_a_lead_goes_with_its_history() -> None:
    make_lead(stage=Stage.MQL).delete()

    check_now()


def no_history() -> None:
    bare_lead()


def a_history_without_an_open_end() -> None:
    lead = bare_lead()
    add_interval(lead, 1, NOW + HOUR)


def a_history_that_begins_at_two() -> None:
    add_interval(bare_lead(), 2)


def a_hole_in_the_numbers() -> None:
    lead = bare_lead(stage_since=NOW + HOUR)
    add_interval(lead, 1, NOW + HOUR)
    add_interval(lead, 3, started_at=NOW + HOUR)


def a_gap_in_time() -> None:
    lead = bare_lead(stage_since=NOW + 2 * HOUR)
    add_interval(lead, 1, NOW + HOUR)
    add_interval(lead, 2, started_at=NOW + 2 * HOUR)


def an_open_interval_of_another_stage() -> None:
    add_interval(bare_lead(stage=Stage.MQL), 1, stage=Stage.LEAD)


def an_open_interval_of_another_cycle() -> None:
    add_interval(bare_lead(cycle=2), 1, cycle=1)


def an_open_interval_since_another_time() -> None:
    add_interval(bare_lead(stage_since=NOW + HOUR), 1)


def a_closed_interval_beside_a_whole_history() -> None:
    lead = make_lead()
    check_now()
    add_interval(lead, 2, NOW - HOUR, started_at=NOW - 2 * HOUR)


def a_stage_changed_on_the_lead_alone() -> None:
    make_lead()
    check_now()
    Lead.objects.update(stage=Stage.MQL)


def a_stage_changed_in_the_history_alone() -> None:
    make_lead()
    check_now()
    StageInterval.objects.update(stage=Stage.MQL)


def a_last_interval_closed_and_none_opened() -> None:
    make_lead()
    check_now()
    StageInterval.objects.update(ended_at=NOW + HOUR)


def an_open_interval_of_the_wrong_stage_after_a_closed_one() -> None:
    lead = make_lead()
    check_now()
    StageInterval.objects.update(ended_at=NOW + HOUR)
    add_interval(lead, 2, stage=Stage.MQL, started_at=NOW + HOUR)


def a_beginning_moved_away_from_the_end_before() -> None:
    make_lead(stage=Stage.MQL, stage_since=NOW + HOUR)
    check_now()
    StageInterval.objects.filter(sequence=1).update(ended_at=NOW)


def an_open_interval_that_overlaps_a_closed_one() -> None:
    lead = make_lead(stage=Stage.MQL, stage_since=NOW + HOUR)
    check_now()
    early = NOW + HOUR / 2
    StageInterval.objects.filter(lead=lead, ended_at=None).update(started_at=early)
    Lead.objects.update(stage_since=early)


def a_deleted_interval() -> None:
    make_lead(stage=Stage.MQL)
    check_now()
    StageInterval.objects.filter(sequence=1).delete()


def an_interval_given_to_another_lead() -> None:
    giver, taker = make_lead(stage=Stage.MQL), make_lead(stage=Stage.MQL)
    check_now()
    StageInterval.objects.filter(lead=giver, sequence=1).update(lead=taker, sequence=0)


@pytest.mark.parametrize(
    "breaking",
    [
        no_history,
        a_history_without_an_open_end,
        a_history_that_begins_at_two,
        a_hole_in_the_numbers,
        a_gap_in_time,
        an_open_interval_of_another_stage,
        an_open_interval_of_another_cycle,
        an_open_interval_since_another_time,
        a_closed_interval_beside_a_whole_history,
        a_stage_changed_on_the_lead_alone,
        a_stage_changed_in_the_history_alone,
        a_last_interval_closed_and_none_opened,
        an_open_interval_of_the_wrong_stage_after_a_closed_one,
        a_beginning_moved_away_from_the_end_before,
        an_open_interval_that_overlaps_a_closed_one,
        a_deleted_interval,
        an_interval_given_to_another_lead,
    ],
)
def test_a_broken_history_cannot_be_committed(breaking: Callable[[], None]) -> None:
    breaking()

    with pytest.raises(IntegrityError, match="The stage history of lead"):
        check_now()


@pytest.mark.django_db(transaction=True)
def test_the_commit_itself_refuses() -> None:
    with pytest.raises(IntegrityError, match="has no open interval"), transaction.atomic():
        no_history()

    assert not Lead.objects.exists()


def overlapping_intervals() -> None:
    lead = make_lead(stage=Stage.MQL, stage_since=NOW + HOUR)
    add_interval(lead, 3, NOW + HOUR / 2)


def two_open_intervals() -> None:
    add_interval(make_lead(stage_since=NOW), 2, started_at=NOW + HOUR)


def one_number_twice() -> None:
    add_interval(make_lead(), 1, NOW)


def an_end_before_the_start() -> None:
    add_interval(bare_lead(), 1, NOW - HOUR)


def an_unknown_stage_of_an_interval() -> None:
    add_interval(bare_lead(), 1, stage="SOLD")


def an_override_without_a_reason() -> None:
    add_interval(bare_lead(), 1, is_override=True)


def an_unknown_stage_of_a_lead() -> None:
    bare_lead(stage="SOLD")


def a_cycle_of_zero() -> None:
    bare_lead(cycle=0)


def an_address_in_capitals() -> None:
    bare_lead(email="Ines@example.com")


def an_empty_address() -> None:
    bare_lead(email="")


def one_address_twice() -> None:
    bare_lead(email="ines@example.com")
    bare_lead(email="ines@example.com")


def a_company_domain_in_capitals() -> None:
    Company.objects.create(name="Kesterwald", domain="Kesterwald.example", created_at=NOW)


def one_company_name_twice_without_domains() -> None:
    Company.objects.create(name="Kesterwald", created_at=NOW)
    Company.objects.create(name="KESTERWALD", created_at=NOW)


def an_unknown_outcome() -> None:
    Deal.objects.create(lead=make_lead(), cycle=1, outcome="HALF", closed_at=NOW, created_at=NOW)


def one_deal_twice() -> None:
    for _ in range(2):
        Deal.objects.create(
            lead=make_lead(), cycle=1, outcome="WON", closed_at=NOW, created_at=NOW,
            system="crm", external_id="17",
        )  # fmt: skip


def one_outside_name_twice() -> None:
    for _ in range(2):
        ExternalId.objects.create(lead=make_lead(), system="crm", external_id="17")


def an_unknown_type_of_attribute() -> None:
    LeadAttribute.objects.create(name="size", label="Size", type="SHOE")


def an_import(**fields: Any) -> ImportJob:
    given = {"kind": "LEADS", "filename": "a.csv", "path": "a.csv", "created_at": NOW, **fields}
    return ImportJob.objects.create(**given)


def an_unknown_state_of_an_import() -> None:
    an_import(state="LOST")


def a_failure_that_says_nothing() -> None:
    an_import(state="FAILED", error="")


def one_line_of_an_import_twice() -> None:
    job = an_import()
    for _ in range(2):
        ImportRow.objects.create(job=job, line=2, cells=[])


@pytest.mark.parametrize(
    ("breaking", "constraint"),
    [
        (overlapping_intervals, "stage_intervals_do_not_overlap"),
        (two_open_intervals, "stage_one_open_per_lead"),
        (one_number_twice, "stage_sequence_once"),
        (an_end_before_the_start, "stage_interval_ends_after_start"),
        (an_unknown_stage_of_an_interval, "stage_interval_stage_is_known"),
        (an_override_without_a_reason, "stage_override_has_reason"),
        (an_unknown_stage_of_a_lead, "lead_stage_is_known"),
        (a_cycle_of_zero, "lead_cycle_from_one"),
        (an_address_in_capitals, "lead_email_is_lower"),
        (an_empty_address, "lead_email_is_null_not_empty"),
        (one_address_twice, "lead_email_once"),
        (a_company_domain_in_capitals, "company_domain_is_lower"),
        (one_company_name_twice_without_domains, "company_one_per_name_without_domain"),
        (an_unknown_outcome, "deal_outcome_is_known"),
        (one_deal_twice, "deal_external_id_once"),
        (one_outside_name_twice, "external_id_once"),
        (an_unknown_type_of_attribute, "lead_attribute_type_is_known"),
        (an_unknown_state_of_an_import, "import_state_is_known"),
        (a_failure_that_says_nothing, "import_failure_says_why"),
        (one_line_of_an_import_twice, "import_line_once"),
    ],
)
def test_the_database_refuses(breaking: Callable[[], None], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        breaking()
