"""PostgreSQL is killed while workers absorb: what was acknowledged becomes an event, once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from crm.embedded.location import redis_url
from crm.embedded.process import stop_together
from crm.embedded.servers import running
from crm.embedded.valkey import Valkey
from tests.embedded.conftest import own_state
from tests.faults.background import Background
from tests.faults.own_database import Database
from tests.processes import wait_for

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc"),
]

MESSAGES = 24_000
KILLS = 2
#: One message in so many says who somebody is.
PERSON = 80

#: Every tenth message stands twice in the inbox, as a client resends it.
ACKNOWLEDGED = f"""
INSERT INTO engagement_inbox (source, message_id, body, received_at, meta, due_at, error)
SELECT 'site', 'm-' || m, CASE m % {PERSON}
    WHEN 0 THEN jsonb_build_object('type', 'identify', 'anonymousId', 'person-' || m,
        'traits', jsonb_build_object('email', 'ines@firm' || m || '.example'))
    ELSE jsonb_build_object('type', 'page', 'anonymousId', 'browser-' || m % 1000) END,
    now(), '{{}}', now(), ''
FROM generate_series(0, {MESSAGES + MESSAGES // 10 - 1}) n, LATERAL (SELECT n % {MESSAGES} AS m) t
"""
#: A batch that wrote the names of its messages and has not committed yet.
IN_MID_BATCH = """
SELECT 1 FROM pg_locks WHERE relation = 'engagement_event_key'::regclass
    AND mode = 'RowExclusiveLock' AND granted
"""
STORED = """
SELECT (SELECT count(*) FROM engagement_event), (SELECT count(*) FROM engagement_event_key),
    (SELECT count(*) FROM leads_lead), (SELECT count(*) FROM leads_stageinterval),
    (SELECT count(*) FROM engagement_event WHERE lead_id IS NOT NULL)
"""


@pytest.fixture
def database(django_db_setup: None) -> Iterator[Database]:
    """Return a database of our own with the processes that ``up`` runs in the background."""
    with own_state() as state, running([Valkey()]):
        database = Database()
        theirs = {"DATABASE_URL": database.url, "REDIS_URL": redis_url()}
        mail = {"EMAIL_URL": "console:", "BATON_STATE_DIR": str(state)}
        background = Background({**os.environ, **theirs, **mail})
        yield database
        background.end()
        stop_together([database.process])


def left(database: Database) -> int:
    [(count,)] = database.ask("SELECT count(*) FROM engagement_inbox")
    return int(count)


def test_killing_postgresql_in_mid_batch_loses_and_doubles_nothing(database: Database) -> None:
    """Red without the one transaction of a batch."""
    database.ask(ACKNOWLEDGED)

    for _ in range(KILLS):
        before = left(database)
        wait_for(lambda before=before: left(database) < before)  # type: ignore[misc]
        wait_for(lambda: database.ask(IN_MID_BATCH))
        database.kill()
        database.start()
    wait_for(lambda: not left(database), seconds=120)

    people = MESSAGES // PERSON
    assert database.ask(STORED) == [(MESSAGES, MESSAGES, people, people, people)]
