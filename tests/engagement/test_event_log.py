from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from engagement.enums import Actor, EventKind
from engagement.event_ids import event_id
from engagement.models import Event
from engagement.services import ensure_partitions, keep_partitions
from leads.models import Lead
from leads.services import create_lead
from tests.engagement.partitions import partitions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_months")]

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def make_event(occurred_at: datetime = NOW, **fields: Any) -> Event:
    """Append a bare row, past the services."""
    defaults = {
        "id": event_id(source="test", message_id=str(occurred_at), occurred_at=occurred_at),
        "occurred_at": occurred_at,
        "received_at": max(NOW, occurred_at),
        "kind": EventKind.PAGE_VIEW,
    }
    return Event.objects.create(**{**defaults, **fields})


def partition_of(event: Event) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM engagement_event WHERE id = %s", [event.id]
        )
        (name,) = cursor.fetchone() or ("",)
    return str(name)


def test_partitions_of_this_month_and_three_more_are_made_once() -> None:
    made = keep_partitions(now=NOW, months_ahead=3)
    again = keep_partitions(now=NOW, months_ahead=3)

    assert (made, again) == (4, 0)
    assert partitions() == [
        "engagement_event_2026_11",
        "engagement_event_2026_12",
        "engagement_event_2027_01",
        "engagement_event_2027_02",
        "engagement_event_default",
    ]


@pytest.mark.parametrize(
    ("occurred_at", "name"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), "engagement_event_2026_11"),
        (datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=UTC), "engagement_event_2026_11"),
        (datetime(2026, 12, 1, tzinfo=UTC), "engagement_event_2026_12"),
        (datetime(2012, 3, 5, tzinfo=UTC), "engagement_event_default"),
    ],
)
def test_an_event_lies_in_the_partition_of_its_utc_month(occurred_at: datetime, name: str) -> None:
    keep_partitions(now=NOW)

    assert partition_of(make_event(occurred_at)) == name


def test_events_of_years_ago_get_a_month_of_their_own() -> None:
    ensure_partitions([date(2019, 7, 15)])

    assert partition_of(make_event(datetime(2019, 7, 2, tzinfo=UTC))) == "engagement_event_2019_07"


def test_events_that_landed_in_the_default_partition_move_when_their_month_is_made() -> None:
    stray = make_event(datetime(2018, 2, 3, tzinfo=UTC), properties={"plan": "pro"})
    other = make_event(datetime(2018, 4, 3, tzinfo=UTC))
    before = partition_of(stray)

    made = keep_partitions(now=NOW, months_ahead=0)

    assert before == "engagement_event_default"
    assert made == 3
    assert partition_of(stray) == "engagement_event_2018_02"
    assert partition_of(other) == "engagement_event_2018_04"
    assert Event.objects.get(id=stray.id).properties == {"plan": "pro"}
    assert partition_of(make_event(datetime(2010, 1, 1, tzinfo=UTC))) == "engagement_event_default"


@pytest.mark.parametrize("month_exists", [True, False])
def test_an_event_cannot_be_deleted(month_exists: bool) -> None:
    if month_exists:
        keep_partitions(now=NOW)
    event = make_event()

    with pytest.raises(IntegrityError, match="append-only: DELETE"), transaction.atomic():
        Event.objects.filter(id=event.id).delete()

    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", EventKind.DEMO_REQUEST),
        ("occurred_at", datetime(2026, 11, 20, tzinfo=UTC)),
        ("properties", {"forged": True}),
        ("visitor_id", 7),
        ("url", "https://elsewhere.example"),
    ],
)
def test_what_happened_cannot_be_changed(field: str, value: object) -> None:
    keep_partitions(now=NOW)
    event = make_event()

    with pytest.raises(IntegrityError, match="append-only: only"), transaction.atomic():
        Event.objects.filter(id=event.id).update(**{field: value})


def test_whose_it_is_and_who_caused_it_can_be_changed() -> None:
    lead = create_lead(now=NOW, email="ada@example.com")
    event = make_event()

    Event.objects.filter(id=event.id).update(
        lead=lead, actor=Actor.MACHINE, actor_reason="Known robot"
    )

    changed = Event.objects.get(id=event.id)
    assert (changed.lead_id, changed.actor, changed.actor_reason) == (
        lead.pk,
        Actor.MACHINE,
        "Known robot",
    )


def test_the_log_cannot_be_emptied() -> None:
    make_event()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE engagement_event ENABLE TRIGGER engagement_event_no_truncate")

        with pytest.raises(IntegrityError, match="append-only: TRUNCATE"), transaction.atomic():
            cursor.execute("TRUNCATE engagement_event")


def test_a_lead_that_the_log_names_cannot_be_deleted_even_by_sql() -> None:
    lead = create_lead(now=NOW, email="ada@example.com")
    make_event(lead=lead)

    with (
        pytest.raises(IntegrityError, match="has events"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM leads_lead WHERE id = %s", [lead.pk])

    assert Lead.objects.filter(pk=lead.pk).exists()


@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [
        ("kind", "DANCED", "event_kind_is_known"),
        ("actor", "GHOST", "event_actor_is_known"),
        ("received_at", datetime(2026, 11, 20, tzinfo=UTC), "event_not_in_the_future"),
    ],
)
def test_the_database_refuses_impossible_events(field: str, value: Any, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make_event(**{field: value})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", [1, 2])
def test_a_test_with_real_transactions_finds_the_log_empty(_: int) -> None:
    assert Event.objects.count() == 0

    make_event()
