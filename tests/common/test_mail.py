from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from crm.common import outbox
from crm.common.enums import OutboxState
from crm.common.mail import message_id
from crm.common.models import OutboxMessage
from crm.common.notifications import notify
from tests.factories import make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)


class MailServer(socketserver.ThreadingTCPServer):
    """As much of SMTP as is needed to misbehave in one chosen place."""

    allow_reuse_address = True
    daemon_threads = True
    refuses_recipients = False
    vanishes_after_the_letter = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.letters: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.say("220 ready")
        for line in self.rfile:
            word = line.decode()[:4].upper()
            if word == "RCPT" and self.server.refuses_recipients:
                self.say("550 no such user at example.com")
            elif word == "DATA":
                self.say("354 go on")
                self.server.letters.append("".join(iter(self.read_line, ".\r\n")))
                if self.server.vanishes_after_the_letter:
                    return
                self.say("250 taken")
            else:
                self.say("250 fine")

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())

    def read_line(self) -> str:
        return self.rfile.readline().decode()


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    """Run a mail server, and make Baton use it."""
    server = MailServer()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield server
    server.shutdown()
    server.server_close()


def write_to_prospect() -> None:
    payload = {"to": "ines@example.com", "subject": "Hello", "text": "Hello Ines"}
    outbox.enqueue(key="letter", channel="email", payload=payload, now=NOW)


def alert_somebody() -> None:
    notify(recipients=[make_user(email="tomas@example.com")], key="n", title="Over", now=NOW)


def dispatched() -> OutboxMessage:
    outbox.dispatch_outbox(now=NOW)
    return OutboxMessage.objects.get()


def test_a_letter_arrives_with_its_own_message_id(server: MailServer) -> None:
    write_to_prospect()

    message = dispatched()

    assert message.state == OutboxState.SENT
    assert len(server.letters) == 1
    assert f"Message-ID: {message_id('letter')}" in server.letters[0]
    assert "Hello Ines" in server.letters[0]


def test_a_server_that_is_away_gets_another_chance_for_either_kind(server: MailServer) -> None:
    server.shutdown()
    server.server_close()
    write_to_prospect()

    message = dispatched()

    assert message.state == OutboxState.PENDING
    assert (
        message.last_error == "NotSent: The mail server cannot be reached: ConnectionRefusedError"
    )


def test_a_refusal_is_kept_without_the_address_it_names(server: MailServer) -> None:
    server.refuses_recipients = True
    write_to_prospect()

    message = dispatched()

    assert message.state == OutboxState.PENDING
    assert message.last_error == "NotSent: The mail server refused: SMTPRecipientsRefused"


def test_silence_after_the_letter_leaves_mail_to_a_prospect_uncertain(server: MailServer) -> None:
    server.vanishes_after_the_letter = True
    write_to_prospect()

    message = dispatched()

    assert (message.state, len(server.letters)) == (OutboxState.UNCERTAIN, 1)


def test_silence_after_the_letter_repeats_an_alert(server: MailServer) -> None:
    server.vanishes_after_the_letter = True
    alert_somebody()

    message = dispatched()

    assert (message.state, len(server.letters)) == (OutboxState.PENDING, 1)
