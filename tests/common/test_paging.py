"""Keyset pages: every row once, in order, from either side, whatever the cursor."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.common import paging, stretches
from crm.common.conditions import Ids
from crm.common.paging import (
    Count,
    Page,
    count_at_once,
    estimate_count,
    keyset_page,
    merged,
    merged_page,
    neighbours,
    quick_count,
    rough_count,
)
from crm.common.stretches import Hint
from leads.models import Lead
from scoring.models import LeadScore
from tests.factories import make_lead

NOW = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)
BY_ACTIVITY = ("-last_activity_at", "-id")
BY_COMPANY = ("company_name", "id")
BY_SCORE = ("-score__engagement_score?", "-id")


def _make(minutes: list[int], scores: list[int | None] | None = None) -> list[Lead]:
    leads = [
        make_lead(
            created_at=NOW - timedelta(days=1),
            last_activity_at=NOW - timedelta(minutes=each),
            company_name=f"C{each % 3}",
        )
        for each in minutes
    ]
    if scores is not None:
        LeadScore.objects.bulk_create(
            LeadScore(lead=lead, engagement_score=score)
            for lead, score in zip(leads, scores, strict=True)
            if score != 0  # a lead without any score row
        )
    return leads


def _walk(ordering: tuple[str, ...], size: int) -> list[Page[Lead]]:
    queryset = Lead.objects.select_related("score")
    pages = [keyset_page(queryset, ordering=ordering, size=size)]
    while pages[-1].next_cursor:
        pages.append(
            keyset_page(queryset, ordering=ordering, size=size, cursor=pages[-1].next_cursor)
        )
    return pages


@pytest.mark.django_db
@pytest.mark.parametrize("ordering", [BY_ACTIVITY, BY_COMPANY])
@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_walking_forward_gives_every_row_once_in_order(
    ordering: tuple[str, ...], size: int
) -> None:
    _make([5, 3, 3, 3, 9, 1, 0, 0, 12, 7])
    expected = list(Lead.objects.order_by(*ordering).values_list("pk", flat=True))
    pages = _walk(ordering, size)
    assert [lead.pk for page in pages for lead in page.items] == expected
    assert pages[0].previous_cursor is None
    assert pages[-1].next_cursor is None


@pytest.mark.django_db
@pytest.mark.parametrize("ordering", [BY_ACTIVITY, BY_COMPANY, BY_SCORE])
def test_walking_back_gives_the_same_pages(ordering: tuple[str, ...]) -> None:
    _make([5, 3, 3, 3, 9, 1, 0], [30, None, 30, 12, 0, 0, 99])
    forward = _walk(ordering, 2)
    page = forward[-1]
    queryset = Lead.objects.select_related("score")
    for expected in reversed(forward[:-1]):
        page = keyset_page(queryset, ordering=ordering, size=2, cursor=page.previous_cursor)
        assert page.items == expected.items
    assert page.previous_cursor is None


@pytest.mark.django_db
@pytest.mark.parametrize("ordering", [BY_ACTIVITY, BY_COMPANY, BY_SCORE])
def test_pages_of_parts_are_those_of_all_together(ordering: tuple[str, ...]) -> None:
    _make([5, 3, 3, 4, 9, 1, 0], [30, None, 30, 12, 0, 0, 99])
    every = Lead.objects.select_related("score")
    parts = [every.filter(last_activity_at__lt=NOW - timedelta(minutes=4)),
             every.filter(last_activity_at__gte=NOW - timedelta(minutes=4))]  # fmt: skip

    pages = _walk(ordering, 2)
    for page in pages:
        for cursor in (page.next_cursor, page.previous_cursor):
            of_parts = merged_page(parts, ordering=ordering, size=2, cursor=cursor)
            assert of_parts == keyset_page(every, ordering=ordering, size=2, cursor=cursor)
    assert list(merged(parts, ordering)) == [lead for page in pages for lead in page.items]


@pytest.mark.django_db
def test_a_place_has_the_same_cursor_at_any_time() -> None:
    _make([5, 3, 1], [None, None, None])
    first = _walk(BY_ACTIVITY, 2)[0]
    time.sleep(1.1)  # what would be signed is the second

    assert _walk(BY_ACTIVITY, 2)[0] == first


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    scores=st.lists(st.sampled_from([None, 0, 1, 1, 40, 99]), max_size=12),
    size=st.integers(min_value=1, max_value=5),
)
def test_nulls_come_last_and_no_row_is_missed(scores: list[int | None], size: int) -> None:
    LeadScore.objects.all().delete()
    Lead.objects.all().delete()
    leads = _make(list(range(len(scores))), scores)
    ranked = sorted(
        zip(leads, scores, strict=True), key=lambda pair: (-(pair[1] or -1), -pair[0].pk)
    )
    walked = [lead.pk for page in _walk(BY_SCORE, size) for lead in page.items]
    assert walked == [lead.pk for lead, _ in ranked]


@pytest.mark.django_db
@pytest.mark.parametrize("ordering", [BY_ACTIVITY, BY_COMPANY, BY_SCORE])
def test_neighbours_are_the_rows_beside_in_the_same_order(ordering: tuple[str, ...]) -> None:
    _make([5, 3, 3, 3, 9, 1, 0], [30, None, 30, 12, 0, 0, 99])
    queryset = Lead.objects.select_related("score")
    rows = keyset_page(queryset, ordering=ordering, size=50).items

    beside = [neighbours(queryset, ordering=ordering, row=row) for row in rows]

    assert beside == list(zip([None, *rows], [*rows[1:], None], strict=False))


@pytest.mark.django_db
@pytest.mark.parametrize("ordering", [BY_ACTIVITY, BY_COMPANY, BY_SCORE])
@pytest.mark.parametrize("is_among", [False, True])
@pytest.mark.parametrize("is_short", [False, True])
@pytest.mark.parametrize("farthest", [3, 10_000])
def test_the_rows_of_a_part_are_the_same_however_they_are_found(
    monkeypatch: pytest.MonkeyPatch,
    ordering: tuple[str, ...],
    farthest: int,
    *,
    is_among: bool,
    is_short: bool,
) -> None:
    monkeypatch.setattr(stretches, "FARTHEST_AMONG", farthest)
    leads = _make([5, 3, 3, 3, 9, 1, 0, 8, 2], [30, None, 30, 12, 0, 0, 99, None, 7])
    part = Lead.objects.select_related("score").exclude(company_name="C1")
    expected = keyset_page(part, ordering=ordering).items
    among = Ids(Lead.objects.exclude(pk=leads[4].pk) | part, "pk") if is_among else None
    hint = Hint(Lead.objects.all(), among, is_short)

    first = keyset_page(part, ordering=ordering, size=3, hint=hint)  # it is full
    rest = keyset_page(part, ordering=ordering, cursor=first.next_cursor, hint=hint)  # it is not
    back = keyset_page(part, ordering=ordering, cursor=rest.previous_cursor, hint=hint)
    beside = [neighbours(part, ordering=ordering, row=lead, hint=hint) for lead in leads]

    assert first.items + rest.items == expected
    assert back.items == first.items
    assert beside == [neighbours(part, ordering=ordering, row=lead) for lead in leads]


@pytest.mark.django_db
@pytest.mark.parametrize(("farthest", "is_near"), [(100, True), (30, False)])
def test_what_was_found_near_says_how_far_to_look(
    monkeypatch: pytest.MonkeyPatch, farthest: int, *, is_near: bool
) -> None:
    for name, distance in {"NEAR": 2, "FAR": 4, "FARTHEST": farthest}.items():
        monkeypatch.setattr(stretches, name, distance)
    leads = _make(list(range(40)))
    part = Lead.objects.filter(pk__in=[lead.pk for lead in leads[::4]])

    with CaptureQueriesContext(connection) as asked:
        page = keyset_page(part, ordering=BY_ACTIVITY, size=5, hint=Hint(Lead.objects.all()))

    assert page.items == list(part.order_by("-last_activity_at", "-id")[:5])
    near, far, last = [query["sql"] for query in asked]
    assert ("LIMIT 2)" in near, "LIMIT 4)" in far) == (True, True)
    assert ("LIMIT 36)" in last) is is_near


@pytest.mark.django_db
def test_of_a_part_that_is_known_by_its_ids_no_other_rows_are_looked_up() -> None:
    leads = _make(list(range(80)))
    ids = [lead.pk for lead in leads[2::2]]
    part = Lead.objects.filter(company_name="C0", pk__in=ids)  # of which it has every third
    hint = Hint(Lead.objects.all(), Ids(Lead.objects.filter(pk__in=ids), "pk"))

    with CaptureQueriesContext(connection) as asked:
        page = keyset_page(part, ordering=BY_ACTIVITY, size=3, hint=hint)

    assert page.items == [leads[6], leads[12], leads[18]]
    first, looked_up, again, rest = [query["sql"] for query in asked]
    assert "LIMIT 100000) AS walked" in first
    assert f"IN ({', '.join(map(str, ids[:6]))})" in looked_up
    assert again.endswith("LIMIT 32")
    assert f"IN ({', '.join(map(str, ids[:32]))})" in rest


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ordering", "bound", "spelt"),
    [
        (BY_SCORE, Q(score__engagement_score__lt=7), '"engagement_score" < 7'),
        (BY_COMPANY, Q(company_name__lt="C2"), "\"company_name\" < 'C2'"),
    ],
)
def test_what_all_rows_pass_of_the_column_of_an_order_bounds_how_far_is_looked(
    ordering: tuple[str, ...], bound: Q, spelt: str
) -> None:
    _make([1, 2, 3, 4], [1, 9, 5, 7])
    part = Lead.objects.select_related("score").filter(bound)
    hint = Hint(Lead.objects.all(), Ids(Lead.objects.all(), "pk"), bound=bound)

    with CaptureQueriesContext(connection) as asked:
        page = keyset_page(part, ordering=ordering, size=2, hint=hint)

    assert page.items == keyset_page(part, ordering=ordering, size=2).items
    assert spelt in asked[0]["sql"]


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["", "x", "€", "a:b:c", "\x00", "\ud800", "A" * 5000])
def test_a_cursor_that_is_none_of_ours_means_the_first_page(cursor: str) -> None:
    leads = _make([1, 2, 3])
    page = keyset_page(Lead.objects.all(), ordering=BY_ACTIVITY, cursor=cursor, size=2)
    assert page.items == leads[:2]


@pytest.mark.django_db
def test_a_cursor_of_another_order_means_the_first_page() -> None:
    leads = _make([1, 2, 3])
    other = keyset_page(Lead.objects.all(), ordering=BY_COMPANY, size=2).next_cursor
    page = keyset_page(Lead.objects.all(), ordering=BY_ACTIVITY, cursor=other, size=2)
    assert page.items == leads[:2]


@pytest.mark.django_db
def test_a_page_is_one_query() -> None:
    _make([1, 2, 3])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        keyset_page(Lead.objects.all(), ordering=BY_ACTIVITY, size=2)
    assert len(queries) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_page_by_a_column_of_another_table_asks_for_no_row_apart(first: int) -> None:
    _make([1, 2, 3, 4, 5], [70, 50, 30, None, 0])
    cursor = None
    for _ in range(first):
        cursor = keyset_page(
            Lead.objects.all(), ordering=BY_SCORE, size=2, cursor=cursor
        ).next_cursor

    with CaptureQueriesContext(connection) as queries:
        page = keyset_page(Lead.objects.all(), ordering=BY_SCORE, size=2, cursor=cursor)

    with_score_then_without = first == 1
    assert len(page.items) == (2, 2, 1)[first]
    assert len(queries) == 1 + with_score_then_without


@pytest.mark.django_db
def test_counts_are_exact_up_to_the_limit_and_estimates_beyond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _make(list(range(30)))
    assert str(estimate_count(Lead.objects.all())) == "30"
    monkeypatch.setattr("crm.common.paging.EXACT_UP_TO", 20)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leads_lead")
    count = estimate_count(Lead.objects.all())
    assert count.is_estimate
    assert count.value == 30
    assert str(count) == "about 30"


def test_a_count_that_would_hold_up_the_page_is_left_for_later(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_lead()
    monkeypatch.setattr(paging, "QUICK_COST", 1_000_000)
    assert quick_count(Lead.objects.all()) == Count(1, is_estimate=False)

    monkeypatch.setattr(paging, "QUICK_COST", 0)

    assert quick_count(Lead.objects.all()) is None
    assert count_at_once(Lead.objects.all()).is_estimate


def test_what_cannot_match_is_counted_without_asking(db: None) -> None:
    assert quick_count(Lead.objects.none()) == Count(0, is_estimate=False)


@pytest.mark.django_db
def test_few_rows_are_counted_and_many_told_about() -> None:
    _make([1, 2, 3])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leads_lead")
    assert rough_count(Lead.objects.all()) == Count(3, is_estimate=False)


@pytest.mark.django_db
def test_what_is_expected_to_be_many_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    _make([1, 2, 3])
    monkeypatch.setattr(paging, "_FEW", 2)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leads_lead")
    with CaptureQueriesContext(connection) as asked:
        assert rough_count(Lead.objects.all()) == Count(3, is_estimate=True)
    assert [query["sql"].startswith("EXPLAIN") for query in asked] == [True]
