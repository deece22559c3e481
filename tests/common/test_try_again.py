"""Requests that the database takes back because others were at the same rows, or cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from leads.models import LeadMerge
from leads.services import merge_leads
from tests.factories import NOW, client_of, make_lead, make_user
from tests.processes import database_url, wait_for
from tests.settings_of_session import session_setting

pytestmark = pytest.mark.django_db(transaction=True)

MAYBE_DONE = "See whether what you sent is there; if not, send it again."


@pytest.fixture
def web() -> Client:
    client = client_of(make_user(Role.MARKETER))
    client.raise_request_exception = False
    return client


@pytest.fixture
def other(web: Client) -> Iterator[psycopg.Connection]:
    """Return a session of the database beside that of ``web``."""
    with psycopg.connect(database_url()) as session:
        yield session


def test_who_is_held_up_for_too_long_is_told_to_try_again(
    web: Client, other: psycopg.Connection
) -> None:
    made = merge_two()
    with session_setting("lock_timeout", "50ms"):
        other.execute("SELECT FROM leads_lead WHERE id = %s FOR UPDATE", [made.survivor_id])
        answer = web.post(reverse("leads:merge_undo", args=[made.pk]))

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert MAYBE_DONE in answer.content.decode()
    made.refresh_from_db()
    assert made.undone_at is None


def test_who_loses_the_database_amid_the_work_is_told_so(
    web: Client, other: psycopg.Connection
) -> None:
    made = merge_two()
    other.execute("SELECT FROM leads_lead WHERE id = %s FOR UPDATE", [made.survivor_id])
    with ThreadPoolExecutor(1) as beside:
        ending = beside.submit(end_once_it_waits, session_of_web())
        answer = web.post(reverse("leads:merge_undo", args=[made.pk]))
        ending.result()
    connection.close()

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert "as soon as it is back. See then whether what you sent" in answer.content.decode()
    made.refresh_from_db()
    assert made.undone_at is None


def test_who_comes_while_the_database_is_away_is_told_so_before_any_page(
    web: Client, other: psycopg.Connection
) -> None:
    end(other, session_of_web())
    away = web.get(reverse("leads:list"))
    connection.close()
    back = web.get(reverse("leads:list"))

    assert (away.status_code, away["Retry-After"], back.status_code) == (503, "2", 200)
    assert "The database cannot be reached" in away.content.decode()


def test_sessions_that_ended_while_nobody_used_them_are_let_go(
    web: Client, other: psycopg.Connection
) -> None:
    with ThreadPoolExecutor(6) as people:  # so many that a pause after each would be too long
        meeting = Barrier(6)
        list(people.map(lambda _: ask_with_others(meeting), range(6)))
    connection.close()
    other.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    assert web.get(reverse("leads:list")).status_code == 200


def test_any_other_failure_is_called_a_mistake_of_ours(web: Client) -> None:
    made = merge_two()
    with session_setting("default_transaction_read_only", "on"):
        answer = web.post(reverse("leads:merge_undo", args=[made.pk]))

    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()


def ask_with_others(meeting: Barrier) -> None:
    """Use a connection while others use theirs, and give it back to the pool."""
    session_of_web()
    meeting.wait(timeout=20)
    connection.close()


def merge_two() -> LeadMerge:
    kept, gone = make_lead(), make_lead()
    return merge_leads(
        survivor_id=kept.pk, merged_id=gone.pk, actor=make_user(Role.MARKETER), now=NOW
    )


def session_of_web() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone() or (0,)
    return int(pid)


def end_once_it_waits(pid: int) -> None:
    with psycopg.connect(database_url(), autocommit=True) as session:
        waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
        wait_for(lambda: session.execute(waits, [pid]).fetchone() == (True,))
        end(session, pid)


def end(session: psycopg.Connection, pid: int) -> None:
    """End a session of the database, and go on once it is gone."""
    session.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
