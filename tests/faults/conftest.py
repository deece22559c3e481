"""What several fault tests start from."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from django.core.management import call_command

from crm.embedded.location import redis_url
from crm.embedded.servers import running
from crm.embedded.valkey import Valkey
from tests.embedded.conftest import own_state
from tests.faults.background import Background
from tests.processes import database_url, wait_for


@pytest.fixture(scope="module")
def processes(django_db_setup: None) -> Iterator[Background]:
    """Run everything once for all tests, with a broker of its own."""
    environment = dict(os.environ)
    with own_state() as state, running([Valkey()]):
        theirs = {
            "DATABASE_URL": database_url(),
            "REDIS_URL": redis_url(),
            "EMAIL_URL": "console:",
            "BATON_STATE_DIR": str(state),
        }
        started = Background({**environment, **theirs})
        yield started
        started.signal(signal.SIGCONT)  # who stands still cannot obey
        started.end()


@pytest.fixture
def background(processes: Background, transactional_db: None) -> Iterator[Background]:
    """Let the processes work, except while the database is emptied between two tests.

    Whatever befell them, no stored score may differ from a recompute afterwards.
    """
    processes.signal(signal.SIGCONT)
    yield processes
    wait_for(processes.stands_still)
    call_command("check_scores")
