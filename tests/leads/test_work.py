from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from crm.common.instants import InstantInvalid
from leads.models import Lead, Note
from leads.services import LeadInvalid, add_note, assign_lead, record_activity, set_next_step
from tests.factories import NOW, make_lead, make_team, make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_a_lead_is_held_by_a_person_or_a_pool_or_nobody() -> None:
    lead, owner, team = make_lead(), make_user(), make_team()

    assign_lead(lead_id=lead.pk, owner=owner, team=team)
    lead.refresh_from_db()
    assert (lead.owner, lead.team) == (owner, team)

    assign_lead(lead_id=lead.pk, owner=None, team=None)
    lead.refresh_from_db()
    assert (lead.owner, lead.team) == (None, None)


def test_the_latest_activity_wins_and_an_older_one_changes_nothing() -> None:
    ahead, behind, untouched = make_lead(), make_lead(), make_lead()

    record_activity(latest={ahead.pk: NOW - HOUR, behind.pk: NOW + HOUR})

    assert dict(Lead.objects.values_list("pk", "last_activity_at")) == {
        ahead.pk: NOW,
        behind.pk: NOW + HOUR,
        untouched.pk: NOW,
    }


def test_activity_of_many_leads_is_one_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    leads = [make_lead() for _ in range(3)]

    with django_assert_num_queries(1):
        record_activity(latest={lead.pk: NOW + HOUR for lead in leads})


def test_no_activity_is_no_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        record_activity(latest={})


def test_a_next_step_has_a_text_and_a_time() -> None:
    lead = make_lead()

    set_next_step(lead_id=lead.pk, next_step=" Send offer ", next_step_at=NOW)
    lead.refresh_from_db()
    assert (lead.next_step, lead.next_step_at) == ("Send offer", NOW)

    set_next_step(lead_id=lead.pk, next_step="", next_step_at=NOW)
    lead.refresh_from_db()
    assert (lead.next_step, lead.next_step_at) == ("", None)


def test_a_next_step_of_no_known_year_is_refused() -> None:
    lead = make_lead()

    with pytest.raises(InstantInvalid):
        set_next_step(
            lead_id=lead.pk, next_step="Demo", next_step_at=datetime.max.replace(tzinfo=UTC)
        )

    assert Lead.objects.get().next_step == ""


def test_a_note_is_kept_with_its_author() -> None:
    lead, author = make_lead(), make_user()

    note = add_note(lead_id=lead.pk, author=author, text=" Called back ", now=NOW)

    note.refresh_from_db()
    assert (note.lead, note.author, note.text, note.created_at) == (
        lead,
        author,
        "Called back",
        NOW,
    )


@pytest.mark.parametrize("text", ["", "   ", "x" * 5001, "a\x00", "\udfff"])
def test_a_note_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(LeadInvalid):
        add_note(lead_id=make_lead().pk, author=make_user(), text=text, now=NOW)

    assert not Note.objects.exists()
