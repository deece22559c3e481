"""A database that is unwell for a while: what was acknowledged is absorbed later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection

from engagement.models import Event, InboxMessage
from engagement.services import absorb_events, keep_partitions, receive
from engagement.signals import events_absorbed
from leads.models import Lead
from tests.engagement.inbox import HOUR, NOW, identify, message
from tests.settings_of_session import session_setting

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def locked_by_somebody(table: str) -> Iterator[None]:
    """Hold the lock that building an index takes, on a connection of its own."""
    known = connection.get_connection_params()
    wanted = {key: known[key] for key in ("host", "port", "user", "password") if key in known}
    with psycopg.connect(dbname=known["dbname"], **wanted) as other:
        other.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield


def test_a_log_that_is_locked_for_a_while_puts_no_message_aside() -> None:
    """Red when the error of COPY goes past Django's: every message is put aside for ever."""
    keep_partitions(now=NOW)
    receive(source="site", messages=[message("a"), message("b")], received_at=NOW)

    with (
        session_setting("lock_timeout", "200ms"),
        locked_by_somebody("engagement_event"),
        pytest.raises(OperationalError),
    ):
        absorb_events(now=NOW)
    absorb_events(now=NOW + HOUR)

    assert Event.objects.count() == 2
    assert not InboxMessage.objects.exists()


def test_a_message_that_takes_too_long_waits_and_the_others_go_on() -> None:
    """Red when a timeout ends the round: the messages behind the slow one wait with it."""
    keep_partitions(now=NOW)

    def take_long(*, lead_ids: list[int], **_: object) -> None:
        if Lead.objects.filter(pk__in=lead_ids, email="slow@example.com").exists():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(9)")

    messages = [
        identify("slow", "slow@example.com", anonymousId="a"),
        identify("good-1", "ada@example.com", anonymousId="b"),
        identify("good-2", "ben@example.com", anonymousId="c"),
    ]
    receive(source="site", messages=messages, received_at=NOW)
    events_absorbed.connect(take_long)
    try:
        with session_setting("statement_timeout", "500ms"):
            absorb_events(now=NOW)
    finally:
        events_absorbed.disconnect(take_long)

    left = InboxMessage.objects.get()
    assert (left.message_id, left.error) == ("slow", "")
    assert left.due_at is not None
    assert NOW < left.due_at < NOW + HOUR
    assert Event.objects.count() == 2
