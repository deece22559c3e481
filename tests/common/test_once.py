"""Forms that arrive twice: side by side, one after the other, changed in between."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.models import SentForm
from crm.common.once import act_once, remove_old_forms
from handoff.models import Touch
from leads.models import Lead, Note
from leads.services import add_note
from tests.concurrency import side_by_side
from tests.factories import NOW, client_of, make_lead, make_team, make_user
from tests.handoff.factories import make_agreement, make_calendar, make_handoff, make_rep
from tests.handoff.test_pages import ALWAYS, HTMX

TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
CALL = {"act": "CALL.NO_ANSWER"}
NOTE = {"text": "Called back, wants a quote."}
NAME = {"first_name": "Ines", "last_name": "Kallweit", "company_name": "Kesterwald"}


@pytest.fixture
def marketer() -> User:
    return make_user(Role.MARKETER)


@pytest.fixture
def web(marketer: User) -> Client:
    return client_of(marketer)


@pytest.fixture
def note_address() -> str:
    return reverse("leads:note", args=[make_lead().pk])


def token_on(web: Client, address: str, **options: object) -> str:
    """Return the token of the first form on a page."""
    match = TOKEN.search(web.get(address, **options).content.decode())  # type: ignore[arg-type]
    assert match
    return match.group(1)


def send_at_once(
    user: User, address: str, answers: dict[str, str], times: int = 10
) -> set[tuple[int, str]]:
    """Send the same form many times side by side; return how it was answered."""

    def send() -> HttpResponse:
        return client_of(user).post(address, answers)  # type: ignore[return-value]

    answered = side_by_side(*[send] * times)
    failed = [answer for answer in answered if isinstance(answer, Exception)]
    assert failed == []
    return {
        (answer.status_code, answer["Location"])
        for answer in answered
        if isinstance(answer, HttpResponse)
    }


@pytest.mark.django_db(transaction=True)
def test_ten_notes_sent_at_once_are_one(marketer: User, web: Client) -> None:
    lead = make_lead()
    page = reverse("leads:detail", args=[lead.pk])
    answers = {**NOTE, "form_token": token_on(web, page)}

    answered = send_at_once(marketer, reverse("leads:note", args=[lead.pk]), answers)

    assert Note.objects.count() == 1
    assert answered == {(302, page)}


@pytest.mark.django_db(transaction=True)
def test_ten_leads_without_an_address_captured_at_once_are_one(marketer: User, web: Client) -> None:
    address = reverse("leads:create")
    answers = {**NAME, "form_token": token_on(web, address)}

    answered = send_at_once(marketer, address, answers)

    assert answered == {(302, reverse("leads:detail", args=[Lead.objects.get().pk]))}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("opened_on", ["queue", "form"])
def test_ten_touches_logged_at_once_are_one(opened_on: str) -> None:
    make_calendar(definition=ALWAYS)
    make_agreement()
    rep = make_rep(make_team(name="DACH"))
    handoff = make_handoff(rep=rep, now=timezone.now() - timedelta(minutes=10))
    address = reverse("handoff:log", args=[handoff.pk])
    shown = {"queue": f"{reverse('handoff:queue')}?open={handoff.pk}", "form": address}[opened_on]
    token = token_on(client_of(rep), shown)

    answered = send_at_once(rep, address, {**CALL, "form_token": token})

    handoff.refresh_from_db()
    assert (Touch.objects.count(), handoff.attempts) == (1, 1)
    [(status, place)] = answered
    assert (status, place.startswith(reverse("handoff:queue"))) == (302, True)


@pytest.mark.django_db
def test_a_form_changed_after_going_back_is_another_act(web: Client, note_address: str) -> None:
    token = {"form_token": str(uuid4())}

    for text in ("One", "Two", "One"):
        web.post(note_address, {**token, "text": text})

    assert list(Note.objects.order_by("pk").values_list("text", flat=True)) == ["One", "Two"]


@pytest.mark.django_db
def test_the_same_words_in_a_form_opened_again_are_kept_again(
    web: Client, note_address: str
) -> None:
    for _ in range(2):
        web.post(note_address, {**NOTE, "form_token": str(uuid4())})

    assert Note.objects.count() == 2


@pytest.mark.django_db
def test_htmx_gets_a_fresh_form_with_a_token_of_its_own(web: Client, note_address: str) -> None:
    token = str(uuid4())

    answer = web.post(note_address, {**NOTE, "form_token": token}, headers=HTMX)

    fresh = TOKEN.findall(answer.content.decode())
    assert (len(fresh), token in fresh) == (1, False)


@pytest.mark.django_db
def test_one_person_cannot_use_up_the_token_of_another(web: Client, note_address: str) -> None:
    answers = {**NOTE, "form_token": str(uuid4())}
    client_of(make_user(Role.MANAGER)).post(note_address, answers)

    web.post(note_address, answers)

    assert Note.objects.count() == 2


@pytest.mark.django_db
def test_a_refused_form_has_used_up_nothing(web: Client) -> None:
    make_lead(email="taken@b.example")
    answers = {**NAME, "email": "taken@b.example", "form_token": str(uuid4())}
    refused = web.post(reverse("leads:create"), answers)
    Lead.objects.update(email="other@b.example")

    captured = web.post(reverse("leads:create"), answers)

    assert (refused.status_code, captured.status_code) == (422, 302)


@pytest.mark.django_db
def test_without_a_token_every_sending_counts(web: Client, note_address: str) -> None:
    for _ in range(2):
        web.post(note_address, NOTE)

    assert (Note.objects.count(), SentForm.objects.count()) == (2, 0)


@pytest.mark.django_db
def test_a_program_names_its_sending_in_a_header(web: Client, note_address: str) -> None:
    for _ in range(2):
        web.post(note_address, NOTE, headers={"Idempotency-Key": "4711"})

    assert Note.objects.count() == 1


@pytest.mark.django_db
def test_work_that_breaks_off_is_not_remembered(marketer: User) -> None:
    def broken(**_: object) -> Note:
        raise DatabaseError

    with pytest.raises(DatabaseError):
        act_once(broken, "key", now=NOW)

    lead = make_lead()
    made = act_once(add_note, "key", now=NOW, lead_id=lead.pk, author=marketer, text="Kept")
    assert Note.objects.get().pk == made


@pytest.mark.django_db
def test_forms_are_forgotten_after_a_day() -> None:
    SentForm.objects.create(key="old", made_id=1, sent_at=NOW - timedelta(days=1, seconds=1))
    SentForm.objects.create(key="new", made_id=2, sent_at=NOW - timedelta(days=1))

    removed = remove_old_forms(now=NOW)

    assert (removed, SentForm.objects.get().key) == (1, "new")
