"""Of which rows the ids are read for a condition, and where."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Exists, OuterRef, Q

from crm.common.conditions import Ids, asks_only_for, ids_by_table, without_relation
from leads.models import Lead
from scoring.models import LeadScore
from tests.factories import make_lead

NOW = datetime(2026, 5, 13, 10, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def _ids(*conditions: Q) -> list[Ids]:
    return list(ids_by_table(Lead.objects.standing(), conditions))


def test_each_table_is_asked_for_all_that_is_asked_of_it_at_once() -> None:
    hot, cold, warm = make_lead(country="DE"), make_lead(country="DE"), make_lead(country="AT")
    for lead, score in ((hot, 80), (cold, 10), (warm, 50)):
        LeadScore.objects.create(lead=lead, engagement_score=score)
    asked = [
        Q(country="DE"),
        Q(score__engagement_score__gte=20),
        Q(score__engagement_score__gte=60) & Q(created_at__lt=NOW + timedelta(days=1)),
    ]

    own, scores = _ids(*asked)

    assert (own.found.model, set(own.values)) == (Lead, {hot.pk, cold.pk})
    assert (scores.found.model, list(scores.values)) == (LeadScore, [hot.pk])
    assert "leads_lead" not in str(scores.values.query)


def test_ids_of_a_subquery_are_those_that_it_has() -> None:
    lead = make_lead()
    LeadScore.objects.create(lead=lead)
    make_lead()

    [ids] = _ids(Q(pk__in=LeadScore.objects.values("lead")))

    assert (ids.found.model, list(ids.values)) == (LeadScore, [lead.pk])


@pytest.mark.parametrize(
    "condition",
    [
        Q(),
        ~Q(country="DE"),
        Q(country="DE") | Q(country="AT"),
        Q(country="DE") & ~Q(city="Bonn"),
        Q(Exists(LeadScore.objects.filter(lead=OuterRef("pk")))),
        Q(city__icontains="onn"),  # of how many rows nobody knows
        Q(score__engagement_score__isnull=True),  # which a lead without a score passes
        Q(score__isnull=True),
        Q(owner__full_name="Ann"),
    ],
)
def test_what_is_no_plain_and_of_comparisons_tells_no_ids(condition: Q) -> None:
    assert _ids(condition) == []
    assert not asks_only_for(condition, "country")


def test_conditions_on_one_column_alone_are_told_apart() -> None:
    score = "score__engagement_score"
    span = Q(score__engagement_score__gte=2) & Q(score__engagement_score__lt=9)

    assert asks_only_for(span, score)
    assert asks_only_for(Q(score__engagement_score=2), score)
    assert not asks_only_for(span & Q(country="DE"), score)
    assert not asks_only_for(Q(score__engagement_level__in=[1]), score)
    assert without_relation(span, "score") == Q(
        ("engagement_score__gte", 2), ("engagement_score__lt", 9)
    )


def test_the_first_of_some_that_are_among_others() -> None:
    leads = [make_lead() for _ in range(6)]
    by_age = Ids(Lead.objects.order_by("-id"), "pk")
    some = Ids(Lead.objects.filter(pk__in=[leads[0].pk, leads[2].pk, leads[4].pk]), "pk")

    def first(most: int, within: int) -> tuple[list[int], bool]:
        ids, are_all = by_age.first_among(some, most, within=within)
        return [[lead.pk for lead in leads].index(id_) for id_ in ids], are_all

    assert first(2, within=10_000) == ([4, 2], False)  # there may be more
    assert first(9, within=3) == ([4], False)  # there may be more behind
    assert first(9, within=10_000) == ([4, 2, 0], True)
