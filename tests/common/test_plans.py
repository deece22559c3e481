"""Which lists are sought with care: those whose length the planner can only guess."""

import pytest
from django.db.models import QuerySet

from crm.common.paging import ordered
from crm.common.plans import is_straight, plan_of
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.search import search_q

S = LifecycleStage
pytestmark = pytest.mark.django_db


def test_only_lengths_that_no_index_knows_are_guesses(many_leads: None) -> None:
    def is_guess(asked: QuerySet[Lead]) -> bool:
        return plan_of(asked).is_guess

    sales = Lead.objects.standing().filter(stage=S.SQL)

    assert is_guess(sales.filter(score__engagement_level__in=[1, 2, 3]))
    assert is_guess(Lead.objects.filter(search_q(["weit1"])))
    assert is_guess(sales.exclude(last_name="Kallweit8"))
    assert not is_guess(sales)
    assert not is_guess(sales.filter(last_name="Kallweit8"))  # few
    assert not is_guess(Lead.objects.none())


def test_how_long_an_index_is_needs_no_proof_but_what_is_sought_in_it_does(
    many_leads: None,
) -> None:
    every = Lead.objects.standing()

    assert plan_of(Lead.objects.order_by("last_name")).rows == 8_000  # what is expected of all
    assert plan_of(every).is_whole
    assert not plan_of(every.filter(stage=S.LEAD)).is_whole
    assert not plan_of(every.exclude(last_name="Kallweit8")).is_whole
    assert not plan_of(every.filter(score__engagement_level=1)).is_whole


def test_one_index_has_rows_in_their_order_or_the_planner_errs(many_leads: None) -> None:
    sales = Lead.objects.standing().filter(stage=S.SQL)
    by_activity, by_name = ("-last_activity_at", "-id"), ("last_name", "first_name", "id")

    assert is_straight(ordered(sales, by_activity)[:50])
    assert not is_straight(ordered(sales.filter(country=""), by_activity)[:50])
    assert not is_straight(ordered(sales, by_name)[:50])
    assert not is_straight(ordered(sales, ("-score__engagement_score?", "-id"))[:50])
