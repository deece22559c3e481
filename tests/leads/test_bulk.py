"""Work on many leads: which it takes in, what becomes of each, taking it back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from leads.bulk import jobs
from leads.bulk.acts import Outcome, one_by_one
from leads.bulk.jobs import BulkRefused, counts, run_step, stop_job, undo_job
from leads.enums import BulkResult as Result
from leads.enums import BulkState
from leads.enums import LifecycleStage as Stage
from leads.models import BulkJob, BulkRow, Lead, LeadFact, StageInterval, Tag
from leads.services import change_stage
from tests.factories import NOW, make_lead, make_user
from tests.leads.bulk import ADD_FAIR, DISQUALIFY, order, outcomes, work_off

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def marketer() -> User:
    return make_user(Role.MARKETER)


def tags() -> dict[str, list[str]]:
    return dict(Lead.objects.values_list("first_name", "tags"))


def test_all_that_the_list_holds_is_acted_on_and_nothing_else(marketer: User) -> None:
    make_lead(first_name="Ines", country="DE")
    make_lead(first_name="Oskar", country="AT")

    job = work_off(order(marketer, query="view=all&f=country.in.DE"))

    assert tags() == {"Ines": ["Fair"], "Oskar": []}
    assert (job.state, job.row_count, job.finished_at) == (BulkState.DONE, 1, NOW)


def test_the_chosen_leads_are_acted_on_and_one_that_left_the_list_is_named(marketer: User) -> None:
    ines, oskar = make_lead(country="DE"), make_lead(country="DE")
    make_lead(country="DE")
    Lead.objects.filter(pk=oskar.pk).update(country="AT")

    job = work_off(order(marketer, query="view=all&f=country.in.DE", leads=[ines, oskar]))

    assert outcomes(job) == {
        ines.pk: (Result.DONE, ""),
        oskar.pk: (Result.CHANGED, "It is no longer in the list."),
    }


def test_leads_that_the_person_may_not_see_are_not_even_named() -> None:
    manager = make_user(Role.MANAGER)
    lead = make_lead()
    job = order(manager, leads=[lead])
    BulkJob.objects.update(lead_ids=[lead.pk, lead.pk + 1000])

    assert set(outcomes(work_off(job))) == {lead.pk}


def test_an_act_of_somebody_who_lost_the_role_stops(marketer: User) -> None:
    make_lead()
    job = order(marketer)
    marketer.roles = [Role.REP]
    marketer.save(update_fields=["roles"])

    job = work_off(job)

    assert (job.state, job.error) == (BulkState.FAILED, f"{marketer} may no longer do this.")
    assert Lead.objects.get().tags == []


def test_a_list_that_cannot_be_read_any_more_stops_the_job(marketer: User) -> None:
    job = work_off(order(marketer, query="view=all&f=shoe.is.44"))

    assert job.state == BulkState.FAILED
    assert "there is no field 'shoe'" in job.error


def test_the_weeks_of_a_list_are_those_of_who_ordered_it() -> None:
    monday_in_auckland = datetime(2026, 5, 10, 18, 0, tzinfo=UTC)
    make_lead(first_name="Ines", created_at=monday_in_auckland)
    marketer = make_user(Role.MARKETER, time_zone="Pacific/Auckland")

    work_off(order(marketer, query="view=all&f=created.since.week"))

    assert tags() == {"Ines": ["Fair"]}


def test_a_tag_that_is_there_already_changes_nothing(marketer: User) -> None:
    lead = make_lead(tags=["Fair"])

    job = work_off(order(marketer))

    assert counts(job)[Result.UNCHANGED] == 1
    assert lead.facts.count() == 0


def test_a_tag_is_kept_in_the_history_and_offered_afterwards(marketer: User) -> None:
    lead = make_lead(tags=["Old"])

    work_off(order(marketer))

    fact = LeadFact.objects.get(field="tags")
    assert (fact.lead, fact.value, fact.actor) == (lead, ["Old", "Fair"], marketer)
    assert set(Tag.objects.values_list("name", flat=True)) == {"Old", "Fair"}


def test_a_tag_is_taken_away(marketer: User) -> None:
    make_lead(first_name="Ines", tags=["Fair", "Old"])

    work_off(order(marketer, said={"way": "remove", "tag": "Fair"}))

    assert tags() == {"Ines": ["Old"]}


def test_leads_are_moved_with_the_reason_where_the_lifecycle_allows_it(marketer: User) -> None:
    lead, won, out = make_lead(), make_lead(stage=Stage.WON), make_lead(stage=Stage.DISQUALIFIED)

    job = work_off(order(marketer, "stage", DISQUALIFY))

    assert outcomes(job) == {
        lead.pk: (Result.DONE, ""),
        won.pk: (
            Result.REFUSED,
            "WON -> DISQUALIFIED is not allowed; allowed: nothing: it is final",
        ),
        out.pk: (Result.UNCHANGED, ""),
    }
    change = StageInterval.objects.current().get(lead=lead)
    assert (change.stage, change.reason, change.actor) == ("DISQUALIFIED", "Students", marketer)


def test_leads_are_handed_off_with_the_reason(marketer: User) -> None:
    lead = make_lead()
    said = {"to_stage": "MQL", "reason": "Asked at the fair", "wake_at": None}

    work_off(order(marketer, "stage", said))

    change = StageInterval.objects.current().get(lead=lead)
    assert (change.stage, change.reason) == (Stage.MQL, "Asked at the fair")


def test_nobody_who_routes_or_waits_for_it_waits_for_more_than_one_move(marketer: User) -> None:
    make_lead()
    make_lead()
    job = order(marketer, "stage", DISQUALIFY)
    run_step(job_id=job.pk, now=NOW)  # takes them in

    assert run_step(job_id=job.pk, now=NOW)
    assert counts(job)[Result.DONE] == 1
    assert counts(work_off(job))[Result.DONE] == 2


def test_recycled_leads_wake_on_the_day_that_was_said(marketer: User) -> None:
    lead = make_lead(stage=Stage.MQL)
    wake_at = NOW + timedelta(days=30)
    said = {"to_stage": "RECYCLED", "reason": "Next year", "wake_at": wake_at.isoformat()}

    work_off(order(marketer, "stage", said))

    lead.refresh_from_db()
    assert (lead.stage, lead.wake_at) == (Stage.RECYCLED, wake_at)


def test_a_lead_that_moved_after_the_list_was_seen_is_named_and_left_alone(marketer: User) -> None:
    lead = make_lead()
    change_stage(lead_id=lead.pk, to_stage=Stage.MQL, now=LATER)

    job = work_off(order(marketer, "stage", DISQUALIFY, seen_at=NOW, now=LATER), now=LATER)

    assert outcomes(job) == {lead.pk: (Result.CHANGED, "It is MQL now.")}
    lead.refresh_from_db()
    assert lead.stage == Stage.MQL


def test_a_lead_that_moved_while_the_job_waited_is_named_and_left_alone(marketer: User) -> None:
    lead = make_lead()
    job = order(marketer, "stage", DISQUALIFY, seen_at=LATER, now=LATER)
    assert run_step(job_id=job.pk, now=LATER)  # taken in
    change_stage(lead_id=lead.pk, to_stage=Stage.MQL, now=NOW)

    job = work_off(job, now=LATER)

    assert outcomes(job) == {lead.pk: (Result.CHANGED, "It is MQL now.")}


def test_what_was_done_is_undone_for_the_leads_that_it_changed(marketer: User) -> None:
    make_lead(first_name="Ines")
    make_lead(first_name="Oskar", tags=["Fair"])
    job = work_off(order(marketer))

    undoing = undo_job(job_id=job.pk, actor=marketer, now=LATER)
    again = undo_job(job_id=job.pk, actor=marketer, now=LATER)

    assert again == undoing
    assert counts(work_off(undoing, now=LATER))[Result.DONE] == 1
    assert tags() == {"Ines": [], "Oskar": ["Fair"]}


def test_moves_are_undone_where_the_lifecycle_knows_the_way_back(marketer: User) -> None:
    lead, mql = make_lead(), make_lead(stage=Stage.MQL)
    moved = make_lead()
    job = work_off(order(marketer, "stage", DISQUALIFY), now=LATER)
    change_stage(lead_id=moved.pk, to_stage=Stage.LEAD, now=LATER)

    undoing = work_off(undo_job(job_id=job.pk, actor=marketer, now=LATER), now=LATER)

    assert outcomes(undoing) == {
        lead.pk: (Result.DONE, ""),
        mql.pk: (Result.REFUSED, "DISQUALIFIED -> MQL is not allowed; allowed: LEAD"),
        moved.pk: (Result.CHANGED, "It is Lead now."),
    }


def test_running_work_and_what_takes_work_back_are_not_undone(marketer: User) -> None:
    make_lead()
    job = order(marketer)
    with pytest.raises(BulkRefused, match="still runs"):
        undo_job(job_id=job.pk, actor=marketer, now=NOW)

    undoing = undo_job(job_id=work_off(job).pk, actor=marketer, now=NOW)
    with pytest.raises(BulkRefused, match="took something back"):
        undo_job(job_id=work_off(undoing).pk, actor=marketer, now=NOW)


def test_a_stopped_job_goes_on_after_what_it_did(
    marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "CHUNK", 1)
    make_lead()
    make_lead()
    job = order(marketer)
    run_step(job_id=job.pk, now=NOW)
    run_step(job_id=job.pk, now=NOW)

    stop_job(job_id=job.pk, now=NOW, error="Stopped.")
    assert not run_step(job_id=job.pk, now=NOW)
    assert counts(job)[Result.DONE] == 1
    jobs.resume_job(job_id=job.pk)

    assert counts(work_off(job))[Result.DONE] == 2
    assert LeadFact.objects.filter(field="tags").count() == 2
    with pytest.raises(BulkRefused, match="not stopped"):
        jobs.resume_job(job_id=job.pk)


def test_a_job_that_is_taken_back_does_not_go_on(marketer: User) -> None:
    make_lead()
    job = order(marketer)
    stop_job(job_id=job.pk, now=NOW, error="Stopped.")
    undo_job(job_id=job.pk, actor=marketer, now=NOW)

    with pytest.raises(BulkRefused, match="being taken back"):
        jobs.resume_job(job_id=job.pk)


def test_a_lead_on_which_the_act_fails_takes_no_other_along() -> None:
    broken, lead = make_lead(), make_lead()

    def touch(each: Lead) -> Outcome:
        Lead.objects.filter(pk=each.pk).update(city="Oslo")
        if each == broken:
            raise LookupError("nobody thought of this")
        return Outcome(Result.DONE)

    said = one_by_one([broken, lead], touch, refusals=())

    assert said == {
        broken.pk: (Result.REFUSED, "An unforeseen error; the log of the worker has it."),
        lead.pk: (Result.DONE, ""),
    }
    assert dict(Lead.objects.values_list("pk", "city")) == {broken.pk: "", lead.pk: "Oslo"}


def test_a_lead_is_in_a_job_once(marketer: User) -> None:
    job, lead = order(marketer), make_lead()
    BulkRow.objects.create(job=job, lead=lead)

    with pytest.raises(IntegrityError), transaction.atomic():
        BulkRow.objects.create(job=job, lead=lead)


def test_a_lead_with_very_many_tags_takes_no_more(marketer: User) -> None:
    lead = make_lead(tags=[str(n) for n in range(50)])

    assert outcomes(work_off(order(marketer)))[lead.pk][0] == Result.REFUSED


def test_the_queries_of_a_tag_do_not_grow_with_the_leads(
    marketer: User, django_assert_max_num_queries: object
) -> None:
    for _ in range(30):
        make_lead()
    job = order(marketer, said=ADD_FAIR)
    run_step(job_id=job.pk, now=NOW)

    with django_assert_max_num_queries(20):  # type: ignore[operator]  # a fixture of pytest-django
        run_step(job_id=job.pk, now=NOW)


def test_leads_that_came_in_after_the_list_was_seen_are_left_out(marketer: User) -> None:
    make_lead(first_name="Ines")
    make_lead(first_name="Oskar", created_at=LATER)
    make_lead(first_name="Yara", imported_at=LATER)

    job = work_off(order(marketer, seen_at=NOW, now=LATER), now=LATER)

    assert tags() == {"Ines": ["Fair"], "Oskar": [], "Yara": []}
    assert job.row_count == 1
