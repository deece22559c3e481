"""What never counted is removed after a while; what counts, and what still may, is not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import Settings

from engagement.enums import RefusalReason, SubmissionState
from engagement.models import InboxMessage, RefusalCount, Submission
from engagement.services import remove_refused
from tests.engagement.form_making import make_form, send
from tests.factories import NOW

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def kept_ten_days(settings: Settings) -> None:
    settings.KEEP_REFUSED_DAYS = 10


def test_messages_that_could_not_be_absorbed_go_and_those_that_wait_stay() -> None:
    for name, age, is_waiting in (("old", 11, False), ("new", 9, False), ("waits", 11, True)):
        InboxMessage.objects.create(
            source="site", message_id=name, body={}, received_at=NOW - age * DAY,
            due_at=NOW if is_waiting else None,
        )  # fmt: skip

    removed = [remove_refused(now=NOW), remove_refused(now=NOW)]

    assert removed == [1, 0]
    assert {each.message_id for each in InboxMessage.objects.all()} == {"new", "waits"}


def test_what_is_left_hides_nothing_that_goes_however_much_there_is() -> None:
    InboxMessage.objects.bulk_create(
        InboxMessage(
            source="site", message_id=f"{number}", body={},
            received_at=NOW - (11 if number % 2 else 9) * DAY, due_at=None,
        )
        for number in range(4_002)
    )  # fmt: skip

    assert remove_refused(now=NOW) == 2_001
    assert InboxMessage.objects.count() == 2_001


def test_submissions_that_came_to_nothing_go() -> None:
    form = make_form()
    states: dict[str, dict[str, object]] = {
        "accepted": {"state": SubmissionState.ACCEPTED, "decided_at": NOW},
        "refused": {"state": SubmissionState.REFUSED, "reason": RefusalReason.TRAP},
        "waiting": {"state": SubmissionState.WAITING, "mailed_at": NOW - 11 * DAY},
        "mailed-again": {"state": SubmissionState.WAITING, "mailed_at": NOW - DAY},
    }
    for name, values in states.items():
        send(form, email=f"{name}@firm.example")
        sent = Submission.objects.filter(email=f"{name}@firm.example")
        sent.update(received_at=NOW - 11 * DAY, **values)

    assert remove_refused(now=NOW) == 2
    left = Submission.objects.order_by("email").values_list("email", flat=True)
    assert list(left) == ["accepted@firm.example", "mailed-again@firm.example"]


def test_counts_of_refusals_go_with_what_they_count() -> None:
    for age in (11, 9):
        at = NOW - age * DAY
        RefusalCount.objects.create(day=at.date(), code="not_json", count=1, last_at=at)

    assert remove_refused(now=NOW) == 1
    assert RefusalCount.objects.get().last_at == NOW - 9 * DAY
