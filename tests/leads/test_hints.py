"""What is known of a list beside its conditions, for its pages to be found by."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.paging import ordered
from crm.common.plans import plan_of
from crm.common.stretches import Hint
from leads import hints
from leads.hints import hint_for
from leads.listing import load_list
from leads.models import Lead
from scoring.models import LeadScore
from tests.factories import make_user
from tests.leads.asking import address
from tests.many_leads import NOW

pytestmark = pytest.mark.django_db


def hint(query: str, user: User) -> Hint[Lead] | None:
    asked = address(query, user)
    found = asked.leads(viewer=user, now=NOW)
    return hint_for(asked, found, plan_of(found), viewer=user, now=NOW)


def test_new_leads_by_score_are_sought_among_the_new(many_leads: None, marketer: User) -> None:
    known = hint("view=new&sort=grade", marketer)

    assert known is not None
    assert known.among is not None
    assert known.among.found.model is Lead
    assert known.among.values.count() == 800
    assert known.is_short
    assert not known.bound


def test_of_two_conditions_the_one_that_fewer_pass_is_known(
    many_leads: None, marketer: User
) -> None:
    known = hint(
        "view=all&f=stage.in.LEAD&f=level.in.1,2,3&f=engagement.at_least.85&sort=name", marketer
    )

    assert known is not None
    assert known.among is not None
    assert known.among.found.model is LeadScore
    asked = LeadScore.objects.filter(engagement_level__lt=4, engagement_score__gte=85)
    assert set(known.among.values) == set(asked.values_list("lead", flat=True))


def test_a_bound_of_the_order_itself_goes_with_it(many_leads: None, marketer: User) -> None:
    far = hint("view=new&f=created.since.week&f=level.in.1,2,3&sort=-activity", marketer)
    near = hint("view=all&f=engagement.at_most.70&f=stage.in.SQL&sort=grade", marketer)

    assert far is not None
    assert "last_activity_at" in str(far.bound)  # nobody was active before they came
    assert near is not None
    assert "score__engagement_score__lte" in str(near.bound)


def test_a_reps_own_leads_are_among_those_that_are_looked_at(many_leads: None) -> None:
    rep = make_user(Role.REP)
    Lead.objects.filter(last_name__endswith="5").update(owner=rep)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leads_lead")

    known = hint("view=all&f=level.in.1,2,3&sort=name", rep)

    assert known is not None
    assert known.among is not None
    assert known.among.values.count() == 800


@pytest.mark.parametrize(
    "query",
    [
        "view=all",  # of many the next are near
        "view=all&f=words.contains.Kallweit7999",  # of few all are sorted
        "view=all&f=stage.in.SQL&sort=activity",  # one index has them in their order
    ],
)
def test_the_planner_is_left_alone_where_it_knows_best(
    many_leads: None, marketer: User, query: str
) -> None:
    assert hint(query, marketer) is None


def test_what_no_condition_tells_is_sought_nearby(many_leads: None, marketer: User) -> None:
    known = hint("view=all&f=words.contains.weit1&sort=name", marketer)

    assert known is not None
    assert known.among is None


@pytest.mark.parametrize("sort", ["grade", "-activity", "name", "created", "-created"])
@pytest.mark.parametrize("filters", ["created.since.week", "level.in.1,2,3&f=stage.in.SQL"])
def test_pages_found_by_a_hint_are_those_of_the_whole_list(
    monkeypatch: pytest.MonkeyPatch, many_leads: None, marketer: User, sort: str, filters: str
) -> None:
    monkeypatch.setattr(hints, "SHORT", 0)
    asked = address(f"view=all&f={filters}&sort={sort}&size=100", marketer)
    found = asked.leads(viewer=marketer, now=NOW)
    expected = [lead.pk for lead in ordered(found, asked.sort.ordering)[:300]]
    cursor, pages = None, []

    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            page = load_list(asked, viewer=marketer, now=NOW, cursor=cursor)
        cursor = page.page.next_cursor
        pages += [row.lead.pk for row in page.rows]
        is_walked = any("AS walked" in (query["sql"] or "") for query in queries)
        assert is_walked is (sort.removeprefix("-") != "created" or "level" in filters)

    assert pages == expected
