"""What an upgrade makes of rows that an earlier version wrote."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection

from handoff.enums import Approval, HandoffState, TouchChannel, TouchOutcome
from handoff.models import Handoff, Touch
from handoff.services import log_touch
from tests.factories import NOW
from tests.handoff.factories import holder_of, make_handoff

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def late_touch(handoff: Handoff) -> Touch:
    return log_touch(
        handoff_id=handoff.pk, rep=holder_of(handoff), channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER, occurred_at=NOW, now=NOW + HOUR,
    )  # fmt: skip


def test_nobody_is_asked_about_late_evidence_for_what_is_closed() -> None:
    running, closed = make_handoff(), make_handoff()
    asked, history = late_touch(running), late_touch(closed)
    Handoff.objects.filter(pk=closed.pk).update(state=HandoffState.WITHDRAWN, closed_at=NOW + HOUR)

    with connection.cursor() as cursor:
        cursor.execute(import_module("handoff.migrations.0005_enforcement_policy").CARRY_OVER)

    asked.refresh_from_db()
    history.refresh_from_db()
    assert (asked.approval, asked.decided_at) == (Approval.PENDING, None)
    assert (history.approval, history.decided_at) == (Approval.REFUSED, history.recorded_at)
