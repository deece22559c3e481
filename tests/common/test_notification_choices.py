"""How people are told: at once or once a day, in their hours, and by a signed call."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.core import mail
from pytest_django import Settings

from crm.accounts.enums import MailWhen, NewsKind, Role
from crm.accounts.models import User
from crm.common.models import Notification, OutboxMessage
from crm.common.notifications import mark_read, notify
from crm.common.outbox import dispatch_outbox
from crm.common.outgoing import AddressRefused, check_address, post
from tests.factories import client_of, make_team, make_user
from tests.handoff.factories import make_calendar

pytestmark = pytest.mark.django_db

#: A Tuesday, 10:42 in Berlin.
NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)
NIGHT = datetime(2026, 5, 12, 20, 0, tzinfo=UTC)


def tell(person: User, key: str = "breach:17", *, now: datetime = NOW) -> None:
    notify(recipients=[person], key=key, title=f"Late: {key}", body="Call.", url="/handoffs/17/",
           now=now)  # fmt: skip


@contextmanager
def sink(status: int = 204) -> Iterator[tuple[str, list[Any]]]:
    """Run a server of somebody else; yield its address and what it was sent."""
    calls: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append((self.path, dict(self.headers), body))
            self.send_response(status)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?a=1", calls
    finally:
        server.shutdown()
        server.server_close()


def test_a_digest_is_one_mail_a_day_of_what_is_not_read() -> None:
    person = make_user(mail_when=MailWhen.DAILY, time_zone="Europe/Berlin")
    for key in ("one", "two", "three"):
        tell(person, key)
    mark_read(user=person, now=NOW, notification_id=Notification.objects.earliest("id").pk)
    waiting = OutboxMessage.objects.get()
    assert waiting.deliver_at == datetime(2026, 5, 13, 6, 0, tzinfo=UTC)
    assert dispatch_outbox(now=NOW) == 0
    dispatch_outbox(now=waiting.deliver_at)
    [letter] = mail.outbox
    assert letter.subject == "2 notifications from Baton"
    assert "Late: two" in letter.body
    assert "Late: one" not in letter.body
    assert "/handoffs/17/" in letter.body
    tell(person, "four", now=NOW + timedelta(days=1))
    dispatch_outbox(now=NOW + timedelta(days=2))
    assert "Late: two" not in mail.outbox[1].body
    assert "Late: four" in mail.outbox[1].body


def test_a_digest_of_nothing_new_is_not_sent() -> None:
    person = make_user(mail_when=MailWhen.DAILY)
    tell(person)
    mark_read(user=person, now=NOW)
    dispatch_outbox(now=NOW + timedelta(days=1))
    assert mail.outbox == []


def test_mail_waits_for_the_hours_of_those_who_want_it_so() -> None:
    team = make_team(name="DACH")
    make_calendar(team)
    quiet = make_user(Role.REP, sales_team=team, only_at_work=True)
    other = make_user(Role.REP, sales_team=team)
    for person in (quiet, other):
        tell(person, "day")
        tell(person, "night", now=NIGHT)
    due = {each.key: each.deliver_at for each in OutboxMessage.objects.all()}
    assert due[f"alert:day:{quiet.pk}"] == NOW
    assert due[f"alert:night:{quiet.pk}"] == datetime(2026, 5, 13, 7, 0, tzinfo=UTC)
    assert due[f"alert:night:{other.pk}"] == NIGHT


def test_a_webhook_is_called_once_and_signed(settings: Settings) -> None:
    settings.OUTGOING_PRIVATE_HOSTS = ["127.0.0.1"]
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    with sink() as (url, calls):
        tell(make_user(wants_mail=False, webhook_url=url, webhook_secret=secret))
        dispatch_outbox(now=NOW)
        dispatch_outbox(now=NOW + timedelta(hours=1))
    [(path, headers, body)] = calls
    said = json.loads(body)
    assert (path, said["data"]["title"]) == ("/hook?a=1", "Late: breach:17")
    assert said["data"]["url"].endswith("/handoffs/17/")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.digest(b"k" * 24, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_no_success_is_tried_again(settings: Settings, status: int) -> None:
    settings.OUTGOING_PRIVATE_HOSTS = ["127.0.0.1"]
    with sink(status) as (url, calls):
        tell(make_user(wants_mail=False, webhook_url=url, webhook_secret="whsec_aaaa"))
        dispatch_outbox(now=NOW)
        message = OutboxMessage.objects.get()
        assert (message.state, message.deliver_at > NOW) == ("PENDING", True)
        assert f"answered {status}" in message.last_error
        dispatch_outbox(now=message.deliver_at)
    assert len(calls) == 2
    assert calls[0][1]["webhook-id"] == calls[1][1]["webhook-id"]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.8", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]",
     "2130706433", "0x7f.1", "0.0.0.0", "[2002:7f00:1::]", "192.168.1.1"],
)  # fmt: skip
def test_nothing_inside_is_called(host: str) -> None:
    with sink() as (url, calls), pytest.raises(AddressRefused, match="private network"):
        post(url.replace("127.0.0.1", host), b"", {})
    assert calls == []


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "https://", "https://u:p@example.com/",
            "http://example.com:99999/", "http://example.com/\r\nX: 1", "javascript:alert(1)"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(url)


def test_choices_are_made_on_the_preferences_page() -> None:
    person = make_user()
    web = client_of(person)
    fields = {
        "full_name": "Tomas", "time_zone": "Europe/Berlin", "theme": "AUTO", "wants_mail": "on",
        "mail_when": "DAILY", "only_at_work": "on", "webhook_url": "https://example.com/hook",
    }  # fmt: skip
    refused = web.post("/preferences/", {**fields, "webhook_url": "ftp://example.com"})
    assert refused.status_code == 422
    assert web.post("/preferences/", fields).status_code == 302
    person.refresh_from_db()
    assert (person.mail_when, person.only_at_work) == ("DAILY", True)
    assert person.webhook_secret.startswith("whsec_")
    kept = person.webhook_secret
    assert kept in web.get("/preferences/").content.decode()
    web.post("/preferences/", {**fields, "webhook_url": "https://example.com/other"})
    person.refresh_from_db()
    assert person.webhook_secret == kept


def test_each_kind_of_news_is_mailed_as_its_reader_chose() -> None:
    chosen = {"DEADLINE": "AT_ONCE", "DECISION": "NEVER"}
    person = make_user(time_zone="UTC", mail_when=MailWhen.DAILY, mail_of_kinds=chosen)
    for kind in NewsKind:
        notify(recipients=[person], key=kind.value, title=kind.label, kind=kind, now=NOW)

    dispatch_outbox(now=NOW)
    at_once = [letter.subject for letter in mail.outbox]
    dispatch_outbox(now=NOW + timedelta(days=1))
    [digest] = mail.outbox[len(at_once) :]

    assert at_once == [NewsKind.DEADLINE.label]
    told = [kind for kind in NewsKind if kind.label in digest.body]
    assert told == [NewsKind.HANDOFF, NewsKind.OTHER]
    assert Notification.objects.filter(recipient=person).count() == len(NewsKind)


def test_people_choose_by_kind_in_their_preferences() -> None:
    person = make_user(full_name="Mira")
    client = client_of(person)
    asked = {
        "full_name": "Mira", "time_zone": "UTC", "theme": "AUTO", "wants_mail": "on",
        "mail_of_DEADLINE": "AT_ONCE", "mail_of_OTHER": "DAILY", "mail_of_DECISION": "",
    }  # fmt: skip

    client.post("/preferences/", asked)
    person.refresh_from_db()
    page = client.get("/preferences/").content.decode()
    refused = client.post("/preferences/", {**asked, "mail_of_OTHER": "SOMETIMES"})

    assert person.mail_of_kinds == {"DEADLINE": "AT_ONCE", "OTHER": "DAILY"}
    assert all(kind.label in page for kind in NewsKind)
    assert refused.status_code == 422
