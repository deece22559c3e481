from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm.accounts.enums import Role
from crm.common.models import OutboxMessage
from engagement.enums import RefusalReason, SubmissionState
from engagement.models import Event, Submission
from engagement.questions import Question
from engagement.services.submissions import (
    accept_submission,
    ask_again,
    confirm_submission,
    submit_form,
)
from engagement.suspicion import MOST_FROM_ONE, MOST_REFUSED_AN_HOUR
from handoff.models import Handoff
from leads.enums import AttributeType, LifecycleStage
from leads.models import Consent, Lead
from scoring.models import LeadScore
from tests.engagement.form_making import (
    CONSENT,
    declare,
    make_form,
    make_newsletter,
    send,
    some_arrival,
    version_of,
)
from tests.factories import NOW, make_lead, make_team, make_user
from tests.handoff.factories import make_agreement, make_calendar, make_rep
from tests.scoring.logs import publish_model

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def the_event() -> Event:
    return Event.objects.select_related("asset").get()


def test_a_form_makes_a_lead_with_its_act() -> None:
    form = make_form(name="Downtime guide")

    submission = send(form, first_name="Ines", company_name="Kesterwald", country="DE")

    lead, event = Lead.objects.get(), the_event()
    assert (submission.state, submission.lead) == (SubmissionState.ACCEPTED, lead)
    assert (lead.email, lead.first_name, lead.company_name, lead.created_at) == (
        "ines@kesterwald.example", "Ines", "Kesterwald", NOW
    )  # fmt: skip
    assert (event.lead_id, event.kind, event.occurred_at, event.name) == (
        lead.pk, "FORM_SUBMIT", NOW, "Downtime guide"
    )  # fmt: skip
    assert event.properties == {"form": form.slug}
    assert lead.stage_intervals.get().rule == "Form Downtime guide"


def test_the_same_page_sent_again_is_the_submission_that_is_there() -> None:
    form, arrival = make_form(), {"nonce": "a" * 32}

    first = send(form, arrival=arrival)
    again = send(form, arrival=arrival, now=NOW + HOUR)

    assert again == first
    assert (Lead.objects.count(), Event.objects.count()) == (1, 1)


def test_going_back_and_changing_an_answer_is_another_sending() -> None:
    form, arrival = make_form(), {"nonce": "a" * 32}

    send(form, arrival=arrival, email="ines@kesterwald.exampel")
    send(form, arrival=arrival, email="ines@kesterwald.example")

    assert set(Lead.objects.values_list("email", flat=True)) == {
        "ines@kesterwald.exampel", "ines@kesterwald.example"
    }  # fmt: skip


def test_a_known_lead_is_completed_and_never_overwritten() -> None:
    declare("plant")
    lead = make_lead(
        email="ines@kesterwald.example", company_name="Kesterwald Pumpen", last_name="Kallweit",
        first_name="", attributes={"plant": "Hagen"},
    )  # fmt: skip

    submission = send(
        make_form(), first_name="Ines", last_name="KALLWEIT", company_name="Other Ltd",
        attributes={"plant": "Siegen"},
    )  # fmt: skip

    lead.refresh_from_db()
    assert (lead.first_name, lead.last_name, lead.company_name, lead.attributes) == (
        "Ines", "Kallweit", "Kesterwald Pumpen", {"plant": "Hagen"}
    )  # fmt: skip
    assert submission.differences == {
        "company_name": ["Kesterwald Pumpen", "Other Ltd"],
        "attr_plant": ["Hagen", "Siegen"],
    }
    assert submission.answers["company_name"] == "Other Ltd"


def test_what_brought_the_visitor_is_the_source_of_a_new_lead_only() -> None:
    touch = {"source": "LinkedIn", "medium": "paid", "campaign": "May"}

    send(make_form(), arrival={"touch": touch})
    send(make_form(), arrival={"touch": {**touch, "source": "google"}}, now=NOW + HOUR)

    lead = Lead.objects.get()
    assert (lead.source, lead.medium, lead.campaign) == ("linkedin", "paid", "May")
    assert {event.touch["source"] for event in Event.objects.all()} == {"LinkedIn", "google"}
    assert [each.differences for each in Submission.objects.all()] == [{}, {}]


def test_fixed_values_are_set_unasked() -> None:
    declare("product", AttributeType.CHOICE, choices=["Pumps", "Valves"])
    form = make_form(
        Question("email", "E-mail"),
        Question("campaign", "Campaign", fixed="Spring fair"),
        Question("attr_product", "Product", fixed="Pumps"),
    )

    send(form)

    lead = Lead.objects.get()
    assert (lead.campaign, lead.attributes) == ("Spring fair", {"product": "Pumps"})


def test_the_log_keeps_answers_that_name_nobody() -> None:
    declare("budget", AttributeType.CHOICE, choices=["None", "50,000"])
    declare("need")

    send(make_form(), attributes={"budget": "50,000", "need": "Call Otto, 0170 4711"})

    assert the_event().properties == {
        "form": Submission.objects.get().form.slug,
        "budget": "50,000",
    }


def test_an_attribute_that_is_gone_costs_its_answer_only() -> None:
    send(make_form(), attributes={"gone": "x"}, first_name="Ines")

    lead = Lead.objects.get()
    assert (lead.first_name, lead.attributes) == ("Ines", {})


def test_consent_is_kept_with_the_version_that_was_read() -> None:
    form = make_form(consent_text=CONSENT)

    send(form, has_consent=True)
    send(form, has_consent=False, email="otto@kesterwald.example")

    consent = Consent.objects.get()
    assert (consent.lead.email, consent.text, consent.purpose, consent.source) == (
        "ines@kesterwald.example", CONSENT, "MARKETING", f"Form {form} v1"
    )  # fmt: skip
    assert (consent.asked_at, consent.given_at) == (NOW, NOW)


@pytest.mark.parametrize(
    ("arrival", "reason"),
    [
        ({"trap": "http://spam.example"}, RefusalReason.TRAP),
        ({"took": timedelta(seconds=1.9)}, RefusalReason.TOO_FAST),
    ],
)
def test_what_is_suspicious_is_kept_and_makes_no_lead(arrival: Any, reason: RefusalReason) -> None:
    submission = send(make_form(), arrival=arrival, first_name="Robot")

    submission.refresh_from_db()
    assert (submission.state, submission.reason) == (SubmissionState.REFUSED, reason)
    assert submission.answers == {"email": "ines@kesterwald.example", "first_name": "Robot"}
    assert not Lead.objects.exists()
    assert not Event.objects.exists()


def test_one_address_sends_so_many_in_ten_minutes_and_another_more() -> None:
    form, place = make_form(), {"address": "198.51.100.7"}
    for number in range(MOST_FROM_ONE):
        assert send(form, email=f"n{number}@x.example", arrival=place).state == "ACCEPTED"

    over = send(form, email="over@x.example", arrival=place)
    elsewhere = send(form, email="elsewhere@x.example")
    other_form = send(make_form(), email="other@x.example", arrival=place)
    later = send(form, email="later@x.example", arrival=place, now=NOW + HOUR)

    assert (over.state, over.reason) == ("REFUSED", RefusalReason.TOO_MANY)
    assert [each.state for each in (elsewhere, other_form, later)] == ["ACCEPTED"] * 3


def test_a_network_address_is_kept_as_a_digest_only() -> None:
    submission = send(make_form(), arrival={"address": "198.51.100.7"})

    assert len(submission.sender) == 64
    assert "198.51" not in str(vars(submission))


def test_beyond_a_bound_refused_submissions_are_counted_and_not_kept() -> None:
    form = make_form()
    first = send(form, arrival={"trap": "x"})
    Submission.objects.bulk_create(
        Submission(
            form=form, version=version_of(form), nonce=f"x{number}", state="REFUSED",
            reason="TRAP", email=first.email, answers={}, has_consent=False, sender="",
            received_at=NOW,
        )
        for number in range(MOST_REFUSED_AN_HOUR - 1)
    )  # fmt: skip
    said: dict[str, Any] = {
        "version": version_of(form),
        "answers": {"email": "a@b.example"},
        "has_consent": False,
    }

    robot = submit_form(**said, arrival=some_arrival(trap="x"), now=NOW)
    person = submit_form(**said, arrival=some_arrival(), now=NOW)
    next_hour = submit_form(**said, arrival=some_arrival(trap="x"), now=NOW + HOUR)

    form.refresh_from_db()
    assert (robot, form.unkept, form.unkept_at) == (None, 1, NOW)
    assert person is not None
    assert next_hour is not None


def test_not_spam_is_as_if_it_had_been_accepted_when_it_came() -> None:
    person, form = make_user(Role.MARKETER), make_form(consent_text=CONSENT)
    refused = send(form, arrival={"trap": "x"}, first_name="Ines", has_consent=True)

    for later in (DAY, 2 * DAY):
        accept_submission(submission_id=refused.pk, actor=person, now=NOW + later)

    refused.refresh_from_db()
    lead, event = Lead.objects.get(), the_event()
    assert (lead.created_at, event.occurred_at, event.received_at) == (NOW, NOW, NOW + DAY)
    assert Consent.objects.get().given_at == NOW
    assert (refused.state, refused.decided_at, refused.decided_by, refused.lead) == (
        "ACCEPTED", NOW + DAY, person, lead
    )  # fmt: skip
    assert refused.reason == RefusalReason.TRAP


def test_a_demo_request_is_a_handoff_before_the_answer() -> None:
    team = make_team()
    make_rep(team)
    make_calendar(team)
    make_agreement()

    send(make_form(event_kind="DEMO_REQUEST"), country="DE")

    handoff = Handoff.objects.get()
    assert (handoff.lead.stage, handoff.opened_at) == (LifecycleStage.MQL, NOW)
    assert handoff.is_fast_track


def test_fit_is_known_before_the_answer() -> None:
    publish_model()

    send(make_form(), country="DE")

    assert LeadScore.objects.get().fit_grade == "B"


def test_until_the_address_is_confirmed_there_is_no_lead_and_no_consent() -> None:
    form = make_newsletter()

    submission = send(form, has_consent=True)

    assert (submission.state, submission.mailed_at) == (SubmissionState.WAITING, NOW)
    assert not Lead.objects.exists()
    assert not Consent.objects.exists()
    assert not Event.objects.exists()
    assert OutboxMessage.objects.get().payload == {"submission": submission.pk}


def test_a_confirmation_dates_the_sign_up_and_the_consent() -> None:
    submission = send(make_newsletter(), has_consent=True)

    for later in (DAY, 2 * DAY):
        confirm_submission(submission_id=submission.pk, now=NOW + later)

    event, consent = the_event(), Consent.objects.get()
    assert (event.kind, event.occurred_at) == ("NEWSLETTER_SIGNUP", NOW + DAY)
    assert (consent.asked_at, consent.given_at) == (NOW, NOW + DAY)
    assert Lead.objects.get().email == "ines@kesterwald.example"


def test_asking_twice_sends_one_mail_an_hour_and_one_confirmation_settles_both() -> None:
    form = make_newsletter()
    first = send(form, has_consent=True)
    second = send(form, has_consent=True, now=NOW + HOUR / 2)
    assert not ask_again(submission_id=second.pk, now=NOW + HOUR / 2)
    assert OutboxMessage.objects.count() == 1

    assert ask_again(submission_id=second.pk, now=NOW + HOUR)
    assert OutboxMessage.objects.count() == 2
    confirm_submission(submission_id=first.pk, now=NOW + 2 * HOUR)

    assert [each.state for each in Submission.objects.all()] == ["ACCEPTED"] * 2
    assert (Event.objects.count(), Lead.objects.count()) == (1, 1)
    assert not ask_again(submission_id=second.pk, now=NOW + 3 * HOUR)


def test_who_confirmed_once_and_asks_again_gets_another_mail() -> None:
    """Red when the mail that was pressed already stands for the next."""
    form = make_newsletter()
    first = send(form, has_consent=True)
    confirm_submission(submission_id=first.pk, now=NOW + HOUR / 4)

    again = send(form, has_consent=True, now=NOW + HOUR / 2)

    assert (again.state, again.mailed_at) == (SubmissionState.WAITING, NOW + HOUR / 2)
    assert OutboxMessage.objects.count() == 2


def test_not_spam_asks_for_the_confirmation_where_the_form_wants_one() -> None:
    refused = send(make_newsletter(), arrival={"trap": "x"}, has_consent=True)

    accept_submission(submission_id=refused.pk, actor=make_user(Role.MARKETER), now=NOW + DAY)

    refused.refresh_from_db()
    assert (refused.state, refused.mailed_at) == (SubmissionState.WAITING, NOW + DAY)
    assert not Lead.objects.exists()
