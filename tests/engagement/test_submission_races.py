"""The same page sent many times at once, on real connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from crm.accounts.enums import Role
from crm.common.locks import hold
from crm.common.models import OutboxMessage
from engagement.models import Event, Submission
from engagement.services.submissions import accept_submission, confirm_submission, submit_form
from engagement.suspicion import MOST_FROM_ONE
from leads.models import Lead
from tests.concurrency import in_thread, side_by_side
from tests.engagement.form_making import make_form, make_newsletter, send, some_arrival, version_of
from tests.factories import NOW, make_lead, make_user
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

SAME = "a" * 32


def sending(form: Any, email: str = "ines@kesterwald.example", **arrival: Any) -> Any:
    return partial(
        submit_form,
        version=version_of(form),
        answers={"email": email},
        has_consent=False,
        arrival=some_arrival(**arrival),
        now=NOW,
    )


@pytest.mark.parametrize("place", [{"address": "192.0.2.1"}, {}], ids=["one place", "ten places"])
def test_ten_times_at_once_is_one_submission_one_lead_and_one_act(place: dict[str, str]) -> None:
    form = make_form()

    outcomes = side_by_side(*(sending(form, nonce=SAME, **place) for _ in range(10)))

    kept = Submission.objects.get()
    assert outcomes == [kept] * 10
    assert (kept.state, Lead.objects.count(), Event.objects.count()) == ("ACCEPTED", 1, 1)


def test_ten_pages_of_one_person_at_once_are_one_lead() -> None:
    form = make_form()

    outcomes = side_by_side(*(sending(form) for _ in range(10)))

    assert [each for each in outcomes if isinstance(each, Exception)] == []
    assert (Submission.objects.count(), Lead.objects.count(), Event.objects.count()) == (10, 1, 10)


def test_an_address_cannot_outrun_its_limit() -> None:
    form, place = make_form(), "192.0.2.1"
    for number in range(MOST_FROM_ONE - 1):
        send(form, email=f"n{number}@x.example", arrival={"address": place})

    side_by_side(*(sending(form, f"p{number}@x.example", address=place) for number in range(6)))

    assert Submission.objects.filter(state="ACCEPTED").count() == MOST_FROM_ONE


def test_not_spam_pressed_by_two_at_once_is_one_act() -> None:
    person = make_user(Role.MARKETER)
    refused = send(make_form(), arrival={"trap": "x"})
    press = partial(accept_submission, submission_id=refused.pk, actor=person, now=NOW)

    side_by_side(press, press, press)

    assert (Lead.objects.count(), Event.objects.count()) == (1, 1)


def test_a_confirmation_pressed_thrice_at_once_is_one_act() -> None:
    waiting = send(make_newsletter(), has_consent=True)
    press = partial(confirm_submission, submission_id=waiting.pk, now=NOW)

    side_by_side(press, press, press)

    assert (Lead.objects.count(), Event.objects.count()) == (1, 1)
    assert Lead.objects.get().consents.count() == 1


def test_the_links_of_two_mails_pressed_at_once_are_one_act() -> None:
    form = make_newsletter()
    waiting = [send(form, has_consent=True) for _ in range(4)]

    links = [partial(confirm_submission, submission_id=each.pk, now=NOW) for each in waiting]

    assert side_by_side(*links) == waiting
    assert (Lead.objects.count(), Event.objects.count()) == (1, 1)
    assert set(Submission.objects.values_list("state", flat=True)) == {"ACCEPTED"}


def test_not_spam_and_a_confirmation_at_once_wait_in_one_order() -> None:
    """Red when "Not spam" locks the row first: each then waits for what the other holds."""
    form, person = make_newsletter(), make_user(Role.MARKETER)
    refused = send(form, arrival={"trap": "x"})
    confirm = partial(confirm_submission, submission_id=refused.pk, now=NOW)
    accept = partial(accept_submission, submission_id=refused.pk, actor=person, now=NOW)

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            hold(f"opt-in {form.pk} {refused.email}")
            pressed = []
            for number, press in enumerate((confirm, accept), start=1):
                pressed.append(in_thread(pool, press))
                wait_for(partial(are_waiting, number))
        outcomes = [each.result(timeout=30) for each in pressed]

    assert outcomes == [refused, refused]
    assert Submission.objects.get().state == "WAITING"


def are_waiting(number: int) -> bool:
    """Say whether so many transactions wait for what somebody holds by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
        return bool(cursor.fetchone() == (number,))


def test_ten_sign_ups_of_one_address_at_once_are_one_mail() -> None:
    form = make_newsletter()

    side_by_side(*(sending(form) for _ in range(6)))

    assert (Submission.objects.count(), OutboxMessage.objects.count()) == (6, 1)


def test_of_two_answers_to_what_nobody_knew_the_first_stays_and_the_other_is_told() -> None:
    form, lead = make_form(), make_lead(email="ines@kesterwald.example", city="")
    answers = [
        partial(
            submit_form,
            version=version_of(form),
            answers={"email": lead.email, "city": f"City {number}"},
            has_consent=False,
            arrival=some_arrival(),
            now=NOW,
        )
        for number in range(6)
    ]

    side_by_side(*answers)

    lead.refresh_from_db()
    told = list(Submission.objects.values_list("answers__city", "differences"))
    assert [differences for city, differences in told if city == lead.city] == [{}]
    assert all("city" in differences for city, differences in told if city != lead.city)
