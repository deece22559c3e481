"""Newsletters: nobody is signed up before the address has answered."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from crm.common.models import OutboxMessage
from crm.common.outbox import dispatch_outbox
from engagement.models import Event, Submission
from leads.models import Consent, Lead
from tests.engagement.form_making import make_newsletter
from tests.engagement.form_pages import post

pytestmark = pytest.mark.django_db


def sign_up(**fields: Any) -> str:
    """Sign up, and return the thank-you page's address."""
    address: str = post(make_newsletter(**fields), consent="on")["Location"]
    return address


def mailed_link() -> str:
    dispatch_outbox(now=timezone.now())
    [found] = re.findall(r"http\S+", str(mail.outbox[-1].body))
    return str(found)


def test_a_scanner_that_opens_the_mailed_link_confirms_nothing() -> None:
    sign_up()
    link = mailed_link()

    pages = [Client().get(link), Client().head(link), Client().get(link)]

    assert [page.status_code for page in pages] == [200] * 3
    assert "Nothing happens until you press the button." in pages[0].content.decode()
    assert not Lead.objects.exists()
    assert not Consent.objects.exists()


def test_pressing_the_button_confirms_and_pressing_it_again_changes_nothing() -> None:
    sign_up(thank_you="You are on the list.")
    link = mailed_link()

    answers = [Client().post(link) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert "You are on the list." in Client().get(answers[0]["Location"]).content.decode()
    assert (Lead.objects.count(), Event.objects.count(), Consent.objects.count()) == (1, 1, 1)
    consent = Consent.objects.get()
    assert consent.given_at > consent.asked_at


def test_the_mail_goes_to_the_address_and_names_no_one() -> None:
    sign_up()
    link = mailed_link()

    [letter] = mail.outbox
    assert letter.to == ["ines@kesterwald.example"]
    assert "ines" not in link
    assert "ines@" not in str(OutboxMessage.objects.get().payload)


def test_until_then_the_page_asks_to_look_into_the_mailbox_and_sends_again_once_an_hour() -> None:
    thanks = sign_up()

    again = Client().post(thanks)

    assert "Please look into your mailbox" in Client().get(thanks).content.decode()
    assert "more than an hour ago" in again.content.decode()
    assert OutboxMessage.objects.count() == 1


def test_an_old_link_confirms_nothing_and_offers_another() -> None:
    sign_up()
    long_ago = timezone.now() - timedelta(days=8)
    OutboxMessage.objects.update(created_at=long_ago)
    Submission.objects.update(mailed_at=long_ago)
    link = mailed_link()

    expired = Client().post(link)
    [again] = re.findall(r'action="([^"]+)"', expired.content.decode())
    Client().post(again)

    assert expired.status_code == 410
    assert not Lead.objects.exists()
    assert OutboxMessage.objects.count() == 2


def test_a_link_that_is_none_of_ours_is_not_there() -> None:
    sign_up()
    link = mailed_link()

    assert Client().get(link[:-8] + "/").status_code == 404
    assert Client().post(re.sub(r"confirm/.*", "confirm/x/", link)).status_code == 404
    assert not Lead.objects.exists()


def test_a_mail_that_is_late_is_not_sent_to_who_confirmed_meanwhile() -> None:
    sign_up()
    link = mailed_link()
    Client().post(link)
    OutboxMessage.objects.update(state="PENDING", deliver_at=timezone.now())

    dispatch_outbox(now=timezone.now())

    assert len(mail.outbox) == 1


def test_a_robot_is_told_to_look_into_a_mailbox_and_gets_no_mail() -> None:
    form = make_newsletter()
    person = Client().get(post(form, consent="on")["Location"]).content
    robot = Client().get(post(form, consent="on", fax="x", email="o@x.example")["Location"]).content

    assert robot == person
    assert OutboxMessage.objects.count() == 1
