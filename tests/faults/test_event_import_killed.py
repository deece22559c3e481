from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from engagement.models import Event, EventKey, InboxMessage

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

LINES = 12_000


def start_import(file: Path) -> subprocess.Popen[str]:
    """Start the command on the test database."""
    database = connection.settings_dict
    login = f"{database['USER']}:{quote(database['PASSWORD'], safe='')}"
    server = f"{quote(database['HOST'], safe='')}:{database['PORT']}"
    return subprocess.Popen(
        [sys.executable, "manage.py", "import_events", str(file)],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": f"postgres://{login}@{server}/{database['NAME']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_import_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    message = {"type": "page", "anonymousId": "laptop", "timestamp": "2026-02-03T10:00:00Z"}
    file.write_text(f"{json.dumps(message)}\n" * LINES)

    first = start_import(file)
    deadline = time.monotonic() + 60
    while not Event.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    first.kill()
    first.communicate()
    taken = Event.objects.count()
    second = start_import(file)
    said, complaints = second.communicate(timeout=60)

    assert first.returncode == -9
    assert 0 < taken < LINES, "the fault did not happen in the middle"
    assert (second.returncode, complaints) == (0, "")
    assert said.endswith(" duplicate, 0 refused\n")
    assert (Event.objects.count(), EventKey.objects.count()) == (LINES, LINES)
    assert not InboxMessage.objects.exists()
