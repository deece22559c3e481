"""Routing rules on pages: targets, fallbacks, hours, and the dry run over what happened."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.common.models import Notification
from handoff.dry_run import DryRun, dry_run
from handoff.enums import RouteTo
from handoff.models import AssignmentDecision, Handoff, RepProfile, RoutingRule, WorkCalendar
from handoff.rotation import Candidate, choose
from handoff.services import (
    RoutingInvalid,
    add_routing_rule,
    change_routing_rule,
    move_routing_rule,
    order_routing_rules,
    remove_routing_rule,
)
from tests.factories import NOW, client_of, make_lead, make_team, make_user
from tests.handoff.factories import (
    BERLIN_WEEK,
    become_mql,
    holder_of,
    make_calendar,
    make_handoff,
    make_rep,
)

pytestmark = pytest.mark.django_db

GERMANY = {"field": "country", "op": "in", "value": ["DE"]}


@pytest.fixture
def team() -> SalesTeam:
    return make_team(name="DACH")


@pytest.fixture
def manager() -> Client:
    return client_of(make_user(Role.MANAGER))


def decision_of(lead_country: str = "DE") -> AssignmentDecision:
    """Route a new lead and return the decision."""
    return become_mql(make_lead(country=lead_country)).decisions.get()


def test_a_rule_sends_to_one_rep_or_to_a_pool(team: SalesTeam) -> None:
    first, second = make_rep(team), make_rep(team)
    add_routing_rule(name="Key", criteria=GERMANY, team=team, to=RouteTo.REP, rep=second)
    add_routing_rule(name="Rest", criteria={}, team=team, to=RouteTo.POOL)
    assert [decision_of().chosen for _ in range(2)] == [second, second]
    pooled = decision_of("FR")
    assert (pooled.chosen, pooled.rule) == (None, "Rule 2, Rest")
    told = Notification.objects.filter(title__startswith="New in the pool")
    assert {each.recipient for each in told} == {first, second}


def test_where_nobody_is_free_the_named_fallback_is_followed(team: SalesTeam) -> None:
    away = make_rep(team, full_name="Away")
    RepProfile.objects.create(user=away, absent_from=NOW - timedelta(days=1))
    helper = make_rep(make_team(name="UK"), full_name="Helper")
    last = add_routing_rule(
        name="Helper", criteria=GERMANY, team=SalesTeam.objects.get(name="UK"), to=RouteTo.REP,
        rep=helper, position=9,
    )  # fmt: skip
    add_routing_rule(name="All", criteria={}, team=team, position=1, fallback=last)
    decision = decision_of("FR")
    assert decision.chosen == helper
    assert decision.rule == "Rule 1, All: nobody free, so Rule 9, Helper"
    assert [(line["name"], line["reason"]) for line in decision.candidates] == [
        ("Away", "Absent"), ("Helper", "Next in turn"),
    ]  # fmt: skip
    RepProfile.objects.filter(user=helper).update(capacity=0)
    nobody = decision_of("FR")
    assert (nobody.chosen, nobody.handoff.team) == (None, team)
    assert Notification.objects.filter(title__startswith="Nobody could be given").exists()


def test_a_rep_who_left_is_passed_over_and_refused_for_new_rules(team: SalesTeam) -> None:
    gone = make_rep(team, full_name="Gone")
    rule = add_routing_rule(name="Key", criteria={}, team=team, to=RouteTo.REP, rep=gone)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    gone.refresh_from_db()
    assert decision_of().candidates[0]["reason"] == "No longer sells"
    with pytest.raises(RoutingInvalid, match="Gone has left: choose somebody who sells"):
        change_routing_rule(rule_id=rule.pk, name="Still")
    with pytest.raises(RoutingInvalid, match="is no rep of a team"):
        change_routing_rule(rule_id=rule.pk, rep=make_user(Role.MARKETER))
    with pytest.raises(RoutingInvalid, match="Choose the rep"):
        change_routing_rule(rule_id=rule.pk, rep=None)


def test_fallbacks_that_go_in_a_circle_are_refused(team: SalesTeam) -> None:
    third = add_routing_rule(name="C", criteria={}, team=team)
    second = add_routing_rule(name="B", criteria={}, team=team, fallback=third)
    first = add_routing_rule(name="A", criteria={}, team=team, fallback=second)
    with pytest.raises(RoutingInvalid, match="in a circle, C to A to B to C: choose another"):
        change_routing_rule(rule_id=third.pk, fallback=first)
    with pytest.raises(RoutingInvalid, match="in a circle"):
        change_routing_rule(rule_id=third.pk, fallback=third)
    with pytest.raises(RoutingInvalid, match="It is the fallback of Rule 2, B"):
        remove_routing_rule(rule_id=third.pk)


def test_no_rule_falls_back_on_one_that_is_off(team: SalesTeam) -> None:
    off = add_routing_rule(name="Off", criteria={}, team=team, is_active=False)
    with pytest.raises(RoutingInvalid, match="is off"):
        add_routing_rule(name="Key", criteria={}, team=team, fallback=off)

    rest = change_routing_rule(rule_id=off.pk, is_active=True)
    add_routing_rule(name="Key", criteria={}, team=team, fallback=rest)
    with pytest.raises(RoutingInvalid, match="It is the fallback of Rule 2, Key"):
        change_routing_rule(rule_id=rest.pk, is_active=False)


def test_a_circle_that_somebody_wrote_past_the_service_ends(team: SalesTeam) -> None:
    first = add_routing_rule(name="A", criteria={}, team=team)
    second = add_routing_rule(name="B", criteria={}, team=team, fallback=first)
    RoutingRule.objects.filter(pk=first.pk).update(fallback=second)
    assert decision_of().chosen is None


def test_who_is_at_work_comes_before_who_is_not(team: SalesTeam) -> None:
    early, late = make_rep(team, full_name="Early"), make_rep(team, full_name="Late")
    make_calendar()
    evenings = {**BERLIN_WEEK, "weekly": {"tue": [["16:00", "20:00"]]}}
    make_calendar(name="Evenings", rep=early, is_default=False, definition=evenings)
    first = decision_of()
    assert (first.chosen, decision_of().chosen) == (late, late)
    assert first.candidates[-1]["reason"] == "Outside of their hours until Tue 16:00"


def test_while_nobody_is_at_work_turns_decide_alone() -> None:
    ring = [Candidate(1, "A", closed="Closed"), Candidate(2, "B", closed="Closed", turn=-1)]
    chosen = choose(ring).chosen
    assert chosen is not None
    assert chosen.user_id == 2
    barred = [Candidate(1, "A", closed="Closed"), Candidate(2, "B", barrier="Absent")]
    assert [line.reason for line in choose(barred).considered] == ["Next in turn", "Absent"]


def test_rules_are_ordered_and_switched_off(team: SalesTeam) -> None:
    make_rep(team)
    first = add_routing_rule(name="A", criteria={}, team=team, is_active=False)
    second = add_routing_rule(name="B", criteria={}, team=team)
    order_routing_rules(rule_ids=[second.pk, first.pk])
    assert list(RoutingRule.objects.order_by("position").values_list("name", "position")) == [
        ("B", 1), ("A", 2),
    ]  # fmt: skip
    order_routing_rules(rule_ids=[first.pk])
    assert decision_of().rule == "Rule 2, B"
    with pytest.raises(RoutingInvalid, match="changed since"):
        order_routing_rules(rule_ids=[first.pk, first.pk])


def test_rules_are_ordered_whatever_their_positions(team: SalesTeam) -> None:
    made = [
        add_routing_rule(name=name, criteria={}, team=team, position=position)
        for name, position in (("A", 1), ("B", 32_766), ("C", 32_767))
    ]
    order_routing_rules(rule_ids=[made[2].pk])
    assert list(RoutingRule.objects.order_by("position").values_list("name", "position")) == [
        ("C", 1), ("A", 2), ("B", 3),
    ]  # fmt: skip
    RoutingRule.objects.filter(pk=made[1].pk).update(position=32_767)
    assert add_routing_rule(name="D", criteria={}, team=team).position == 4


def test_a_rule_that_somebody_removed_is_moved_no_more(team: SalesTeam) -> None:
    first, second = (add_routing_rule(name=name, criteria={}, team=team) for name in "AB")
    move_routing_rule(rule_id=second.pk, by=-1)
    assert list(RoutingRule.objects.order_by("position")) == [second, first]
    remove_routing_rule(rule_id=first.pk)
    with pytest.raises(RoutingInvalid, match="removed"):
        move_routing_rule(rule_id=first.pk, by=1)


def test_a_dry_run_says_who_would_have_got_what_and_writes_nothing(team: SalesTeam) -> None:
    first, second = make_rep(team, full_name="Ann"), make_rep(team, full_name="Bob")
    made = [become_mql(make_lead(country=each)) for each in ("DE", "DE", "FR")]
    assert [holder_of(each) for each in made] == [first, second, first]
    add_routing_rule(name="Germany", criteria=GERMANY, team=team, to=RouteTo.REP, rep=second)
    add_routing_rule(name="Off", criteria={}, team=team, to=RouteTo.POOL, is_active=False)
    turns = list(RepProfile.objects.values_list("turn"))
    run = dry_run(now=NOW + timedelta(hours=1))
    assert [(str(line.would), str(line.did)) for line in run.lines] == [
        ("Bob", "Ann"), ("Bob", "Bob"), ("Ann", "Ann"),
    ]  # fmt: skip
    assert _by_name(run) == {"Ann": (1, 2), "Bob": (2, 1)}
    assert run.by_rule["Rule 1, Germany"] == 2
    with_all = dry_run(now=NOW + timedelta(hours=1), with_inactive=True)
    assert _by_name(with_all)["Pool of DACH"] == (1, 0)
    assert list(RepProfile.objects.values_list("turn")) == turns
    assert AssignmentDecision.objects.count() == 3
    assert not dry_run(now=NOW + timedelta(days=31)).lines


def _by_name(run: DryRun) -> dict[str, tuple[int, int]]:
    return {str(place): figures for place, figures in run.by_person.items()}


def test_a_dry_run_tells_two_people_of_one_name_apart(team: SalesTeam) -> None:
    first, second = make_rep(team, full_name="Ann"), make_rep(team, full_name="Ann")
    handoff = become_mql(make_lead())
    other = second if holder_of(handoff) == first else first
    add_routing_rule(name="All", criteria={}, team=team, to=RouteTo.REP, rep=other)

    run = dry_run(now=NOW + timedelta(hours=1))

    assert [line.differs for line in run.lines] == [True]
    assert sorted(run.by_person.values()) == [(0, 1), (1, 0)]


def test_a_dry_run_counts_what_is_still_open_at_each_moment(team: SalesTeam) -> None:
    rep = make_rep(team)
    add_routing_rule(name="All", criteria={}, team=team)
    for hours in (0, 1, 4):
        handoff = make_handoff(now=NOW + timedelta(hours=hours))
        Handoff.objects.filter(pk=handoff.pk).update(
            closed_at=NOW + timedelta(hours=hours + 2), state="WITHDRAWN"
        )
    RepProfile.objects.update(capacity=1)

    run = dry_run(now=NOW + timedelta(hours=9))

    assert [str(line.would) for line in run.lines] == [str(rep), "Pool of DACH", str(rep)]


def test_rules_are_written_on_pages(team: SalesTeam, manager: Client) -> None:
    rep = make_rep(team, full_name="Ann")
    fields = {
        "name": "Germany", "to": "REP", "team": team.pk, "rep": rep.pk, "is_active": "on",
        "criteria": '{"field":"country","op":"in","value":["DE"]}',
    }  # fmt: skip
    refused = manager.post(reverse("handoff:routing_new"), {**fields, "rep": ""})
    assert refused.status_code == 422
    assert "Choose the rep who gets these leads." in refused.content.decode()
    assert manager.post(reverse("handoff:routing_new"), fields).status_code == 302
    rule = RoutingRule.objects.get()
    address = reverse("handoff:routing_rule", args=[rule.pk])
    changed = {**fields, "to": "TEAM", "name": "All"}
    assert manager.post(address, changed).status_code == 302
    page = manager.get(reverse("handoff:routing")).content.decode()
    assert "Country is Germany" in page
    assert "DACH, in turn" in page
    assert (
        manager.post(reverse("handoff:routing_move", args=[rule.pk, "sideways"])).status_code == 404
    )
    manager.post(reverse("handoff:routing_move", args=[rule.pk, "out"]))
    assert not RoutingRule.objects.exists()


def test_a_cap_of_nothing_and_what_is_open_are_shown(team: SalesTeam, manager: Client) -> None:
    rep = make_rep(team)
    make_rep(team)
    for _ in range(3):
        become_mql(make_lead())
    RepProfile.objects.filter(user=rep).update(capacity=0)

    page = manager.get(reverse("handoff:routing")).content.decode()

    [row] = [row for row in page.split("<tr>") if str(rep) in row]
    assert re.findall(r'<td class="num">(\d+)</td>', row) == ["2", "0", "1"]


def test_an_absence_is_entered_on_a_page(team: SalesTeam, manager: Client) -> None:
    rep = make_rep(team, full_name="Ann")
    address = reverse("handoff:rep", args=[rep.pk])
    soon = timezone.now() + timedelta(days=1)
    fields = {"weight": 2, "capacity": 5, "absent_from": f"{soon:%Y-%m-%dT%H:%M}"}
    wrong = manager.post(address, {**fields, "absent_until": "2020-01-01T00:00"})
    assert "ends before it begins" in wrong.content.decode()
    for absence in ({"absent_from": "9999-12-31T23:59"}, {"absent_until": "9999-12-31T23:59"}):
        refused = manager.post(address, {**fields, **absence})
        assert "Give a time between 1900 and 2200." in refused.content.decode()
    assert manager.post(address, fields).status_code == 302
    profile = RepProfile.objects.get(user=rep)
    assert (profile.weight, profile.capacity, profile.absent_until) == (2, 5, None)
    assert profile.is_absent(soon + timedelta(minutes=1))


def test_the_page_of_a_rep_says_whose_calendar_their_deadlines_use(
    team: SalesTeam, manager: Client
) -> None:
    rep = make_rep(team, full_name="Ann")
    WorkCalendar.objects.all().delete()

    def said() -> str:
        return manager.get(reverse("handoff:rep", args=[rep.pk])).content.decode()

    assert "No calendar is set up: deadlines use weekdays from nine to five." in said()
    make_calendar(name="House")
    assert "no calendar of their own: deadlines use the default one, House." in said()
    make_calendar(name="Berlin", team=team, is_default=False)
    assert "no calendar of their own: deadlines use that of the team, Berlin." in said()
    make_calendar(name="Mornings", rep=rep, is_default=False)
    assert "Deadlines use their own calendar, Mornings." in said()


def test_the_page_of_the_dry_run_shows_both_sides(team: SalesTeam, manager: Client) -> None:
    make_rep(team, full_name="Ann")
    assert "Nothing to replay" in manager.get(reverse("handoff:dry_run")).content.decode()
    become_mql(make_lead(), now=timezone.now())
    page = manager.get(reverse("handoff:dry_run"), {"all": "1"}).content.decode()
    assert "By these rules" in page
    assert "Every handoff would go to whom it went." in page
