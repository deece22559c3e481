"""What several fault tests start from."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.embedded.location import redis_url
from crm.embedded.servers import running
from crm.embedded.valkey import Valkey
from scoring.services import renew_scores, score_due_leads
from tests.embedded.conftest import own_state
from tests.factories import make_team, make_user
from tests.faults.background import Background
from tests.faults.deadlines import breaches_logged
from tests.handoff.factories import make_calendar, make_rep
from tests.processes import database_url, wait_for
from tests.scoring.logs import publish_model


@pytest.fixture(autouse=True)
def scores(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let no stored score differ from a recompute, whatever befell the test's processes.

    Only tests of the collector are spared: no score is in the server that they kill.
    """
    if request.node.get_closest_marker("django_db") is None:
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    check_scores()


def check_scores() -> None:
    """Compute what is still owed, as all processes stand still by now, and compare everything."""
    while renew_scores(now=timezone.now()) or score_due_leads(now=timezone.now()):
        pass
    call_command("check_scores")


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
    """Let the processes work, except while the database is emptied between two tests."""
    processes.signal(signal.SIGCONT)
    yield processes
    wait_for(processes.stands_still)


@pytest.fixture
def rep(transactional_db: None) -> Iterator[User]:
    """A rep with a manager, and a log of every breach that the database was told."""
    publish_model()
    make_calendar()
    with breaches_logged():
        team = make_team()
        make_user(Role.MANAGER, sales_team=team)
        yield make_rep(team)
