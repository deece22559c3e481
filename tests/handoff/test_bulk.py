"""Giving many leads to a rep at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.accounts.services import deactivate_user
from handoff.bulk import AssignForm
from handoff.models import Handoff
from handoff.services import reassign_handoff
from leads.bulk.jobs import sweep_jobs, undo_job
from leads.edits import edit_entries
from leads.enums import BulkResult as Result
from leads.history import history_of
from leads.models import Lead
from tests.concurrency import in_thread
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import make_handoff, make_rep
from tests.leads.bulk import order, outcomes, work_off

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def manager() -> User:
    return make_user(Role.MANAGER)


@pytest.fixture
def rep() -> User:
    return make_user(Role.REP, sales_team=make_team(), full_name="Tomas Orlind")


def to(rep: User) -> dict[str, object]:
    return {"to": rep.pk, "reason": "He knows them"}


def test_leads_without_a_handoff_are_given_to_a_rep_and_back(manager: User, rep: User) -> None:
    lead, his = make_lead(), make_lead(owner=rep, team=rep.sales_team)

    job = work_off(order(manager, "assign", to(rep)))

    assert outcomes(job) == {lead.pk: (Result.DONE, ""), his.pk: (Result.UNCHANGED, "")}
    lead.refresh_from_db()
    assert (lead.owner, lead.team) == (rep, rep.sales_team)

    work_off(undo_job(job_id=job.pk, actor=manager, now=NOW))
    held = dict(Lead.objects.values_list("pk", "owner"))
    assert held == {lead.pk: None, his.pk: rep.pk}


def test_its_history_says_who_gave_a_lead_to_whom_and_the_pool_has_it_back(
    manager: User, rep: User
) -> None:
    pool = make_team(name="Nordics")
    lead = make_lead(team=pool, created_at=NOW - timedelta(days=1))

    job = work_off(order(manager, "assign", to(rep)))
    work_off(undo_job(job_id=job.pk, actor=manager, now=LATER), now=LATER)

    edits = edit_entries(lead.pk, manager, None, 10)
    assert [(edit.title, edit.detail) for edit in edits] == [
        ("Owner Tomas Orlind removed", f"By {manager}"),
        ("Owner to Tomas Orlind", f"By {manager}"),
    ]
    assert [change.value for change in history_of(lead.pk)] == ["", "Tomas Orlind"]
    lead.refresh_from_db()
    assert (lead.owner, lead.team) == (None, pool)


@pytest.mark.django_db(transaction=True)
def test_somebody_who_is_leaving_is_given_nothing_before_that_is_known(
    manager: User, rep: User
) -> None:
    lead = make_lead()
    job = order(manager, "assign", to(rep))

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        deactivate_user(user_id=rep.pk, actor=manager, now=LATER)
        assert in_thread(pool, lambda: sweep_jobs(LATER)).result()  # it takes the lead in
        assert not in_thread(pool, lambda: sweep_jobs(LATER)).result()

    assert outcomes(work_off(job)) == {
        lead.pk: (Result.REFUSED, "Tomas Orlind is not an active sales rep: choose one.")
    }


def test_only_reps_are_offered(rep: User) -> None:
    make_user(Role.MARKETER)
    gone = make_user(Role.REP)
    gone.is_active = False
    gone.save(update_fields=["is_active"])

    offered = AssignForm().fields["to"].queryset  # type: ignore[attr-defined]  # of a model choice

    assert list(offered) == [rep]


def test_who_stopped_selling_meanwhile_is_given_nothing_nor_given_back(
    manager: User, rep: User
) -> None:
    gone = make_user(Role.REP, full_name="Mara Solheim")
    free, hers = make_lead(), make_lead(owner=gone)
    taken = work_off(order(manager, "assign", to(rep), leads=[hers]))
    given = order(manager, "assign", to(gone), leads=[free])
    gone.is_active = False
    gone.save(update_fields=["is_active"])

    undoing = work_off(undo_job(job_id=taken.pk, actor=manager, now=NOW))

    refusal = (Result.REFUSED, "Mara Solheim is not an active sales rep: choose one.")
    assert outcomes(work_off(given)) == {free.pk: refusal}
    assert outcomes(undoing) == {hers.pk: refusal}
    assert dict(Lead.objects.values_list("pk", "owner")) == {free.pk: None, hers.pk: rep.pk}


def test_a_lead_that_got_another_owner_meanwhile_is_named(manager: User, rep: User) -> None:
    lead = make_lead()
    job = work_off(order(manager, "assign", to(rep)))
    other = make_user(Role.REP, full_name="Mara Solheim")
    Lead.objects.update(owner=other)

    undoing = work_off(undo_job(job_id=job.pk, actor=manager, now=NOW))

    assert outcomes(undoing) == {lead.pk: (Result.CHANGED, "It is Lead, with Mara Solheim now.")}
    assert not Handoff.objects.exists()


def test_what_came_into_other_hands_after_the_list_was_seen_is_named(manager: User) -> None:
    handoff = make_handoff()
    other, rep = make_rep(make_team(), full_name="Mara Solheim"), make_rep(make_team())
    later = NOW + timedelta(minutes=5)
    reassign_handoff(handoff_id=handoff.pk, to=other, actor=manager, reason="", now=later)

    job = work_off(order(manager, "assign", to(rep), seen_at=NOW, now=later), now=later)

    assert outcomes(job) == {handoff.lead_id: (Result.CHANGED, "It is MQL, with Mara Solheim now.")}
    handoff.refresh_from_db()
    assert handoff.holder == other


def test_an_open_handoff_goes_along_with_its_decision(manager: User) -> None:
    former = make_rep(make_team())
    handoff = make_handoff(rep=former)
    rep = make_rep(make_team())

    job = work_off(order(manager, "assign", to(rep)))

    handoff.refresh_from_db()
    assert handoff.holder == rep
    assert handoff.decisions.latest("pk").rule == f"Reassigned by {manager.full_name}"
    work_off(undo_job(job_id=job.pk, actor=manager, now=NOW))
    handoff.refresh_from_db()
    assert handoff.holder == former


def test_a_marketer_gives_no_open_handoff_to_somebody_else() -> None:
    handoff = make_handoff()
    rep = make_rep(make_team())

    job = work_off(order(make_user(Role.MARKETER), "assign", to(rep)))

    [(result, problem)] = outcomes(job).values()
    assert (result, "is in other hands" in problem) == (Result.REFUSED, True)
    handoff.refresh_from_db()
    assert handoff.holder != rep


def test_a_handoff_that_came_from_the_pool_is_not_put_back(manager: User) -> None:
    team = make_team()
    handoff = make_handoff()
    rep = make_rep(team)
    job = work_off(order(manager, "assign", to(rep)))

    undoing = work_off(undo_job(job_id=job.pk, actor=manager, now=NOW))

    [(result, problem)] = outcomes(undoing).values()
    assert (result, problem) == (
        Result.REFUSED, "Nobody held it before: its handoff stays where it is.",
    )  # fmt: skip
    handoff.refresh_from_db()
    assert handoff.holder == rep
