from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.utils import timezone

from engagement.models import Event, EventKey, InboxMessage
from scoring.services import ensure_model
from tests.processes import start_command, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

LINES = 12_000


def test_an_import_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    ensure_model(now=timezone.now())
    visit = {"type": "page", "anonymousId": "laptop", "timestamp": "2026-02-03T10:00:00Z"}
    person = {**visit, "type": "identify", "traits": {"email": "ines@kesterwald.example"}}
    lines = [json.dumps(person), *[json.dumps(visit)] * (LINES - 1)]
    file.write_text("\n".join(lines))

    first = start_command("import_events", str(file))
    wait_for(Event.objects.exists)
    first.kill()
    first.communicate()
    taken = Event.objects.count()
    second = start_command("import_events", str(file))
    said, complaints = second.communicate(timeout=60)

    assert first.returncode == -9
    assert 0 < taken < LINES, "the fault did not happen in the middle"
    assert (second.returncode, complaints) == (0, "")
    assert said.endswith(" duplicate, 0 refused\n")
    assert (Event.objects.count(), EventKey.objects.count()) == (LINES, LINES)
    assert Event.objects.filter(lead__isnull=False).count() == LINES
    assert not InboxMessage.objects.exists()
