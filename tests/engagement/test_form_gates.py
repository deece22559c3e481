"""What stands behind a form: a file, an offer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from crm.accounts.enums import Role
from crm.common.outbox import dispatch_outbox
from engagement.models import CaptureForm, Event, Submission
from engagement.services import accept_offer
from engagement.services.acceptance import SAME_ACCEPTANCE
from engagement.services.downloads import LINK_LASTS
from engagement.services.submissions import accept_submission
from leads.models import Lead
from tests.engagement.content import PDF, make_asset, make_file, make_offer
from tests.engagement.form_making import make_form, send
from tests.engagement.form_pages import post
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db


def make_gate(**fields: Any) -> CaptureForm:
    """Make a form before a file."""
    return make_form(asset=make_file(make_asset(name="First plan")).asset, **fields)


def test_who_sent_the_form_gets_the_file_and_the_download_is_theirs() -> None:
    form = make_gate()

    thanks = Client().get(post(form)["Location"]).content.decode()
    [gate] = re.findall(r'href="(/f/[^"]+/file/[^"]+)"', thanks)
    link = Client().get(gate)
    file = Client().get(link["Location"])

    assert "First plan" in thanks
    assert b"".join(file.streaming_content) == PDF  # type: ignore[attr-defined]
    assert set(Event.objects.values_list("kind", "lead", "asset")) == {
        ("FORM_SUBMIT", Lead.objects.get().pk, form.asset_id),
        ("DOWNLOAD", Lead.objects.get().pk, form.asset_id),
    }


def test_a_robot_sees_the_same_page_and_gets_no_file() -> None:
    form = make_gate()

    person, robot = (
        Client().get(post(form, email=f"{n}@x.example", fax=trap)["Location"]).content.decode()
        for n, trap in enumerate(["", "x"])
    )
    [gate] = re.findall(r'href="(/f/[^"]+/file/[^"]+)"', robot)
    answer = Client().get(gate)

    without_token = re.compile(r"/file/[^/]+/")
    assert without_token.sub("", robot) == without_token.sub("", person)
    assert (answer.status_code, "First plan" in answer.content.decode()) == (200, True)
    assert not Event.objects.filter(kind="DOWNLOAD").exists()


def test_the_link_is_mailed_when_the_form_says_so() -> None:
    send(make_gate(mails_link=True), now=timezone.now())
    send(make_gate(), now=timezone.now())

    dispatch_outbox(now=timezone.now())

    [letter] = mail.outbox
    [link] = re.findall(r"http\S+", str(letter.body))
    assert b"".join(Client().get(link).streaming_content) == PDF  # type: ignore[attr-defined]


def test_who_was_refused_by_mistake_gets_the_link_by_mail() -> None:
    refused = send(make_gate(), now=timezone.now(), arrival={"trap": "x"})

    accept_submission(submission_id=refused.pk, actor=make_user(Role.MARKETER), now=timezone.now())
    dispatch_outbox(now=timezone.now())

    assert mail.outbox[0].to == ["ines@kesterwald.example"]


def test_a_form_of_an_offer_accepts_the_offer() -> None:
    offer = make_offer(is_fast_track=False, asset=make_asset())
    form = make_form(offer=offer)

    send(form, now=NOW + timedelta(minutes=1))

    event = Event.objects.get()
    assert (event.kind, event.asset_id) == ("DEMO_REQUEST", offer.asset_id)
    assert event.properties == {"form": form.slug, "offer": offer.slug, "fast_track": False}
    assert Submission.objects.get().state == "ACCEPTED"


def test_a_form_of_an_offer_that_has_ended_is_a_form_sent_and_accepts_nothing() -> None:
    """Red when forms do not ask whether the offer stands."""
    form = make_form(offer=make_offer(expires_at=NOW + timedelta(minutes=1)))

    send(form, now=NOW + timedelta(minutes=1))

    event = Event.objects.get()
    assert (event.kind, event.properties) == ("FORM_SUBMIT", {"form": form.slug})
    assert Submission.objects.get().lead is not None


def test_who_was_refused_by_mistake_accepted_the_offer_while_it_stood() -> None:
    offer = make_offer(expires_at=NOW + timedelta(minutes=1))
    refused = send(make_form(offer=offer), arrival={"trap": "x"})

    later = NOW + timedelta(days=2)
    accept_submission(submission_id=refused.pk, actor=make_user(Role.MARKETER), now=later)

    event = Event.objects.get()
    assert (event.kind, event.occurred_at) == ("DEMO_REQUEST", NOW)


def test_an_offer_is_accepted_once_a_day_by_a_form_a_link_or_both() -> None:
    offer = make_offer()
    form = make_form(offer=offer)

    send(form)
    send(form, now=NOW + timedelta(hours=1), first_name="Ines")
    accept_offer(offer=offer, lead_id=Lead.objects.get().pk, now=NOW + timedelta(hours=2))
    assert Event.objects.count() == 1

    send(form, now=NOW + SAME_ACCEPTANCE)
    assert Event.objects.count() == 2


def test_a_refused_form_that_was_sent_again_is_one_acceptance() -> None:
    form = make_form(offer=make_offer())
    refused = send(form, arrival={"trap": "x"})
    now = NOW + timedelta(hours=1)
    send(form, now=now)

    accept_submission(submission_id=refused.pk, actor=make_user(Role.MARKETER), now=now)

    assert Event.objects.get().occurred_at == now


def test_the_file_behind_a_form_is_handed_out_as_long_as_a_link_lasts() -> None:
    """Red when the page that leads to the file makes a new link whenever it is opened."""
    form = make_gate()
    thanks = Client().get(post(form)["Location"]).content.decode()
    [gate] = re.findall(r'href="(/f/[^"]+/file/[^"]+)"', thanks)
    sent_at = timezone.now() - LINK_LASTS - timedelta(minutes=1)
    Submission.objects.update(received_at=sent_at, decided_at=sent_at)

    ended = Client().get(gate, follow=True)

    assert ended.status_code == 410
    assert "Send me a new link" in ended.content.decode()
    assert not Event.objects.filter(kind="DOWNLOAD").exists()
