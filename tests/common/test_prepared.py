"""Queries that are planned once a connection."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext
from psycopg.sql import SQL

from crm.accounts.enums import Role
from crm.common.enums import OutboxState
from crm.common.models import OutboxMessage
from crm.common.prepared import (
    Parameter,
    PreparedQuery,
    QueryOfViewer,
    prepared,
    that_have_rows,
)
from engagement.enums import EventKind
from engagement.models import Event
from leads.models import Lead, Note
from tests.factories import NOW, make_lead, make_team, make_user
from tests.scoring.logs import log_act, make_asset

pytestmark = pytest.mark.django_db

QUERY = SQL("SELECT count(*) AS acts, $1 || '%' AS words FROM engagement_event WHERE lead_id = $2")
RUNS = 3


def test_a_question_is_planned_when_it_is_asked_first() -> None:
    for _ in range(RUNS):
        prepared(QUERY, ["all", 40_000])

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = %s",
            [QUERY.as_string(None)],
        )
        assert cursor.fetchall() == [(RUNS, 0)]


def test_rows_come_by_column_and_are_counted_as_queries() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert prepared(QUERY, ["100", 40_000]) == [{"acts": 0, "words": "100%"}]
    assert len(captured) == 1


def test_errors_are_those_of_django() -> None:
    with pytest.raises(DataError):
        prepared(SQL("SELECT 1 / $1::int AS quotient"), [0])


def test_a_query_that_failed_or_was_on_another_connection_hinders_none_after_it() -> None:
    with pytest.raises(DataError), transaction.atomic():
        prepared(SQL("SELECT 1 / $1::int AS quotient"), [0])
    assert prepared(QUERY, ["all", 40_000]) == [{"acts": 0, "words": "all%"}]

    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert other.preparing_cursor.connection is other.connection  # type: ignore[attr-defined]
    other.close()
    other.connect()
    assert other.preparing_cursor.connection is other.connection  # type: ignore[attr-defined]
    other.close()


ACTS = PreparedQuery(
    lambda lead, before: (
        Event.objects.filter(lead_id=lead, occurred_at__lt=before)
        .exclude(kind__in=[EventKind.PAGE_READ, EventKind.IDENTIFY])
        .exclude(name="100%")
        .select_related("asset")
        .annotate(words=Concat("name", Value("%")))
        .order_by("-occurred_at")
    )
)


def told(events: Iterable[Event]) -> list[dict[str, Any]]:
    return [{**vars(each), "_state": None, "asset": each.asset} for each in events]


def test_a_query_of_the_orm_comes_out_as_the_orm_answers_it() -> None:
    lead, other = make_lead(), make_lead()
    make_asset("guide")
    log_act(lead.pk, "DOWNLOAD", NOW, asset="guide", properties={"pages": [1, None, "ä"]})
    log_act(lead.pk, "PAGE_VIEW", NOW - timedelta(days=40))
    log_act(lead.pk, "PAGE_READ", NOW)
    log_act(other.pk, "PAGE_VIEW", NOW)
    late = NOW + timedelta(days=1)

    for asked in (lead, other):
        composed = Event.objects.filter(lead=asked).exclude(kind=EventKind.PAGE_READ)
        composed = composed.annotate(words=Concat("name", Value("%"))).select_related("asset")
        with CaptureQueriesContext(connection) as captured:
            found = ACTS.ask(asked.pk, late)
        assert told(found) == told(composed.order_by("-occurred_at"))
        assert [each.asset_id and each.asset.slug for each in found] == (
            ["guide", None] if asked == lead else [None]
        )
        assert len(captured) == 1


def test_what_stays_the_same_lets_an_index_of_a_part_be_found() -> None:
    """A plan that is made before the values are known can use one only by what the SQL says."""
    due = PreparedQuery(
        lambda now: OutboxMessage.objects.filter(state=OutboxState.PENDING, deliver_at__lt=now)
    )

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        due.ask(NOW)
        cursor.execute("SELECT name FROM pg_prepared_statements ORDER BY prepare_time DESC")
        (name,) = cursor.fetchone()
        cursor.execute(f"EXPLAIN EXECUTE {name} (now())")
        assert "outbox_due" in "".join(line for (line,) in cursor.fetchall())


def test_the_newest_come_with_all_of_the_last_instant() -> None:
    lead = make_lead()
    moments = [NOW - timedelta(hours=hours) for hours in (0, 1, 1, 1, 2)]
    for moment in moments:
        log_act(lead.pk, "PAGE_VIEW", moment)

    assert [each.occurred_at for each in ACTS.newest(lead.pk, None, 2)] == moments[:4]
    assert [each.occurred_at for each in ACTS.newest(lead.pk, moments[1], 2)] == moments[4:]
    same = [each.pk for each in ACTS.newest(lead.pk, None, 2)][1:]
    assert same == sorted(same, reverse=True)


def test_one_question_tells_which_of_several_queries_have_rows() -> None:
    lead, idle = make_lead(), make_lead()
    log_act(lead.pk, "PAGE_VIEW", NOW)
    notes = PreparedQuery(lambda lead: Note.objects.filter(lead_id=lead))
    Note.objects.create(lead=idle, author=make_user(), text="Called back", created_at=NOW)
    late = NOW + timedelta(days=1)

    with CaptureQueriesContext(connection) as captured:
        assert that_have_rows((ACTS, notes), lead.pk, late) == {ACTS}
    assert len(captured) == 1
    assert that_have_rows((ACTS, notes), lead.pk, NOW) == set()
    assert that_have_rows((ACTS, notes), idle.pk, late) == {notes}
    assert that_have_rows((), lead.pk, late) == set()


def test_a_query_of_the_orm_is_composed_once() -> None:
    composed = []

    def compose(lead: Parameter) -> QuerySet[Event]:
        composed.append(lead)
        return Event.objects.filter(lead_id=lead)

    query = PreparedQuery(compose)
    for lead_id in range(RUNS):
        assert query.ask(40_000 + lead_id) == []

    assert len(composed) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE %s",
            ['%FROM "engagement_event" WHERE "engagement_event"."lead_id" = ($1)'],
        )
        assert cursor.fetchall() == [(RUNS,)]


def test_a_list_of_any_length_is_asked_for_with_one_text() -> None:
    leads = [make_lead(), make_lead(), make_lead()]
    for number, lead in enumerate(leads):
        log_act(lead.pk, "PAGE_VIEW", NOW, properties={"number": number})
    acts = PreparedQuery(
        lambda wanted: (
            Event.objects.filter(lead__among=wanted)
            .values_list("lead", "properties")
            .order_by("lead")
        )
    )

    texts = set()
    for wanted in ([], leads[:1], leads[1:]):
        with CaptureQueriesContext(connection) as captured:
            found = acts.rows([lead.pk for lead in wanted])
        assert found == [[lead.pk, {"number": leads.index(lead)}] for lead in wanted]
        texts.add(captured[0]["sql"])
    assert len(texts) == 1


VISIBLE = QueryOfViewer(
    lambda viewer, countries: (
        Lead.objects.visible_to(viewer).filter(country__among=countries).order_by("pk")
    )
)


@pytest.mark.parametrize("is_in_team", [True, False])
@pytest.mark.parametrize("roles", [[Role.MARKETER], [Role.REP], [Role.REP, Role.MANAGER], []])
def test_a_viewer_finds_what_they_may_see(roles: list[Role], is_in_team: bool) -> None:
    team, other = make_team(name="North"), make_team(name="South")
    viewer = make_user(roles=roles, sales_team=team if is_in_team else None)
    colleague = make_user(Role.REP, sales_team=team)
    for owner, holding in [(viewer, team), (colleague, team), (None, team), (None, other)]:
        for country in ("DE", "FR", "IT"):
            make_lead(country=country, owner=owner, team=holding)
    allowed = Lead.objects.visible_to(viewer).filter(country__in=["DE", "FR"])

    assert VISIBLE.ask(viewer, ["DE", "FR"]) == list(allowed.order_by("pk"))


def test_one_person_is_not_answered_with_what_another_sees() -> None:
    for name in ("Ada", "Ben"):
        rep = make_user(Role.REP, full_name=name)
        mine = make_lead(country="DE", owner=rep)
        assert VISIBLE.ask(rep, ["DE"]) == [mine]
