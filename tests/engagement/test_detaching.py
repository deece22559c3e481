"""Detaching restores exactly what was there before; confirming and restoring are its like."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.accounts.enums import Role
from crm.accounts.models import User
from engagement.enums import Actor, EventKind, LinkAct, LinkReason
from engagement.models import Event, LinkChange, Visitor, VisitorLink
from engagement.services import (
    LinkIsOtherwise,
    confirm_claim,
    detach_link,
    link_visitor,
    record_event,
    restore_link,
)
from leads.models import Lead, StageInterval
from scoring.models import LeadScore
from tests.engagement.inbox import HOUR, NOW, absorb, identify, message, owners
from tests.factories import make_lead, make_user

pytestmark = pytest.mark.django_db

ADA, BEN = "ada@example.com", "ben@example.com"
LATER = NOW + HOUR


@pytest.fixture
def ada() -> Lead:
    return make_lead(email=ADA, created_at=NOW - 90 * HOUR)


@pytest.fixture
def mira() -> User:
    return make_user(Role.MARKETER, full_name="Mira")


def link(lead: Lead, now: datetime = NOW, *, proven: bool = True) -> VisitorLink:
    return link_visitor(
        anonymous_id="laptop", lead_id=lead.pk, reason=LinkReason.FORM, now=now, proven=proven
    )


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return what an identification changes, row by row.

    Events keep the link that attached them, so that it can be restored.
    """
    tables: dict[str, Any] = {
        "events": Event.objects.order_by("occurred_at", "id"),
        "visitors": Visitor.objects.order_by("pk"),
        "leads": Lead.objects.order_by("pk"),
        "moves": StageInterval.objects.order_by("pk"),
    }
    found = {name: list(table.values()) for name, table in tables.items()}
    for event in found["events"]:
        del event["link_id"]
    return found


def test_detaching_gives_back_what_the_link_had_attached(ada: Lead, mira: User) -> None:
    absorb(message("before", at=NOW), message("robot", context={"userAgent": "curl/8.5.0"}))
    before = rows()
    made = link(ada)
    assert rows() != before

    given_back = detach_link(link_id=made.pk, actor=mira, now=LATER, words="A kiosk at the fair")

    made.refresh_from_db()
    change = LinkChange.objects.get()
    assert (given_back, rows()) == (2, before)
    assert made.detached_at == LATER
    assert (change.act, change.at, change.actor, change.words) == (
        LinkAct.DETACHED, LATER, mira, "A kiosk at the fair",
    )  # fmt: skip


def test_what_was_done_while_linked_is_nobodys_after_detaching(ada: Lead, mira: User) -> None:
    made = link(ada)
    absorb(message("while linked"))

    detach_link(link_id=made.pk, actor=mira, now=LATER)

    assert owners() == [("while linked", None)]


def test_other_links_are_left_alone(ada: Lead, mira: User) -> None:
    ben = make_lead(email=BEN)
    absorb(message("ada's", at=NOW - 3 * HOUR))
    first = link(ada)
    absorb(identify("ben's", BEN, at=NOW - 2 * HOUR))
    absorb(message("ada's phone", anonymousId="phone"))
    phone = link_visitor(anonymous_id="phone", lead_id=ada.pk, reason=LinkReason.FORM, now=NOW)

    detach_link(link_id=first.pk, actor=mira, now=LATER)

    ada.refresh_from_db()
    assert owners() == [("ada's", None), ("ben's", BEN), ("ada's phone", ADA)]
    assert Visitor.objects.get(name="laptop").lead == ben
    assert Visitor.objects.get(name="phone").link == phone
    assert ada.last_activity_at == NOW - HOUR


def test_a_visitor_goes_back_to_whom_it_was_before(ada: Lead, mira: User) -> None:
    ben = make_lead(email=BEN)
    first, between, last = link(ada), link(ben, NOW + HOUR / 2), link(ada, LATER)

    for detached, expected in ((last, between), (between, first)):
        detach_link(link_id=detached.pk, actor=mira, now=LATER)
        visitor = Visitor.objects.get()
        assert (visitor.link, visitor.lead) == (expected, expected.lead)
        assert visitor.identified_at == expected.proven_at


def test_the_lead_keeps_what_it_did_by_itself(ada: Lead, mira: User) -> None:
    made = link(ada)
    record_event(
        lead_id=ada.pk, kind=EventKind.FORM_SUBMIT, occurred_at=NOW - 2 * HOUR, now=NOW,
        visitor_id=made.visitor_id,
    )  # fmt: skip
    absorb(message("linked"))

    detach_link(link_id=made.pk, actor=mira, now=LATER)

    ada.refresh_from_db()
    assert Event.objects.get(lead=ada).kind == EventKind.FORM_SUBMIT
    assert ada.last_activity_at == NOW - 2 * HOUR


def test_the_score_is_owed_again_and_nothing_was_learned(ada: Lead, mira: User) -> None:
    made = link(ada)
    absorb(message("linked"))
    LeadScore.objects.update(score_due_at=None, news_at=NOW)

    detach_link(link_id=made.pk, actor=mira, now=LATER)

    score = LeadScore.objects.get()
    assert (score.score_due_at, score.news_at) == (LATER, NOW)


def test_an_imported_move_stays_the_last_activity(ada: Lead, mira: User) -> None:
    moved_at = NOW - 9 * HOUR
    StageInterval.objects.filter(lead=ada).update(is_imported=True, started_at=moved_at)
    Lead.objects.update(stage_since=moved_at)
    made = link(ada)
    absorb(message("linked"))

    detach_link(link_id=made.pk, actor=mira, now=LATER)

    ada.refresh_from_db()
    assert ada.last_activity_at == moved_at


def test_whom_a_person_detached_is_not_swept_up_when_identified_again(
    ada: Lead, mira: User
) -> None:
    absorb(message("before", at=NOW - 3 * HOUR))
    detach_link(link_id=link(ada).pk, actor=mira, now=NOW)
    absorb(message("after", at=NOW))

    again = link(ada, LATER)

    assert owners() == [("before", None), ("after", ADA)]
    assert VisitorLink.objects.count() == 2
    assert Visitor.objects.get().link == again


def test_restoring_is_the_exact_undo_of_detaching(ada: Lead, mira: User) -> None:
    absorb(message("before"))
    made = link(ada)
    linked = rows()
    detach_link(link_id=made.pk, actor=mira, now=LATER)

    restore_link(link_id=made.pk, actor=mira, now=LATER, words="It was her after all")

    assert rows() == linked
    assert Event.objects.get().link == made
    assert [change.act for change in LinkChange.objects.order_by("pk")] == [
        LinkAct.DETACHED, LinkAct.RESTORED,
    ]  # fmt: skip


def test_restoring_takes_nothing_from_whoever_was_identified_since(ada: Lead, mira: User) -> None:
    ben = make_lead(email=BEN)
    made = link(ada)
    detach_link(link_id=made.pk, actor=mira, now=NOW)
    link(ben, LATER)

    restore_link(link_id=made.pk, actor=mira, now=LATER)

    assert Visitor.objects.get().lead == ben


def test_a_colleague_confirms_a_claim(ada: Lead, mira: User) -> None:
    absorb(message("before"))
    claim = link(ada, proven=False)
    absorb(message("under it", at=NOW))

    confirm_claim(link_id=claim.pk, actor=mira, now=LATER, words="She told me on the phone")

    claim.refresh_from_db()
    change = LinkChange.objects.get()
    assert owners() == [("before", ADA), ("under it", ADA)]
    assert (claim.proven_at, Visitor.objects.get().link) == (LATER, claim)
    assert (change.act, change.reason, change.actor) == (LinkAct.PROVEN, LinkReason.PERSON, mira)
    assert change.words == "She told me on the phone"


def test_a_claim_that_was_confirmed_can_be_detached_exactly(ada: Lead, mira: User) -> None:
    absorb(message("before", at=NOW))
    before = rows()
    claim = link(ada, proven=False)
    confirm_claim(link_id=claim.pk, actor=mira, now=LATER)

    detach_link(link_id=claim.pk, actor=mira, now=LATER)

    assert rows() == before


def test_a_dismissed_claim_is_over_and_can_be_reopened(ada: Lead, mira: User) -> None:
    claim = link(ada, proven=False)

    detach_link(link_id=claim.pk, actor=mira, now=NOW)
    dismissed = Visitor.objects.get().claim
    restore_link(link_id=claim.pk, actor=mira, now=LATER)

    assert dismissed is None
    assert Visitor.objects.get().claim == claim


def test_what_was_settled_meanwhile_is_refused(ada: Lead, mira: User) -> None:
    made = link(ada)

    with pytest.raises(LinkIsOtherwise):
        confirm_claim(link_id=made.pk, actor=mira, now=NOW)
    with pytest.raises(LinkIsOtherwise):
        restore_link(link_id=made.pk, actor=mira, now=NOW)
    detach_link(link_id=made.pk, actor=mira, now=NOW)
    with pytest.raises(LinkIsOtherwise):
        detach_link(link_id=made.pk, actor=mira, now=NOW)

    assert LinkChange.objects.count() == 1


class Desk:
    """A browser, two leads and a colleague, who do one thing a minute."""

    def __init__(self) -> None:
        self.now = NOW
        self.leads = [make_lead(email=email, created_at=NOW - 90 * HOUR) for email in (ADA, BEN)]
        self.colleague = make_user(Role.MANAGER)
        self.acts = 0

    def act(self) -> None:
        self.acts += 1
        agent = "curl/8.5.0" if self.acts % 3 == 0 else "Mozilla/5.0 Chrome/131.0 Safari/537.36"
        body = message(f"m-{self.acts}", at=self.now, context={"userAgent": agent})
        absorb(body, now=self.now)

    def link(self, place: int, *, proven: bool) -> VisitorLink:
        return link(self.leads[place], self.now, proven=proven)

    def do(self, name: str, place: int) -> None:
        self.now += timedelta(minutes=1)
        if name == "act":
            self.act()
        elif name in {"claim", "link"}:
            self.link(place % 2, proven=name == "link")
        elif chosen := self._choose(name, place):
            does = {"confirm": confirm_claim, "detach": detach_link, "restore": restore_link}[name]
            does(link_id=chosen.pk, actor=self.colleague, now=self.now)

    def _choose(self, name: str, place: int) -> VisitorLink | None:
        links = VisitorLink.objects.order_by("pk").filter(detached_at__isnull=name != "restore")
        if name == "confirm":
            links = links.filter(proven_at__isnull=True)
        return links[place % len(links)] if links else None

    def check(self) -> None:
        """Compare what is stored with what follows from the identifications that hold."""
        holding = VisitorLink.objects.filter(proven_at__isnull=False, detached_at__isnull=True)
        for event in Event.objects.select_related("link"):
            expected = event.link.lead_id if event.link in holding else None
            assert event.lead_id == expected
        for visitor in Visitor.objects.all():
            assert visitor.link == holding.order_by("-proven_at", "-pk").first()
            assert visitor.lead_id == (visitor.link.lead_id if visitor.link else None)
        for lead in self.leads:
            lead.refresh_from_db()
            acts = Event.objects.filter(lead=lead, actor=Actor.HUMAN)
            times = acts.values_list("occurred_at", flat=True)
            assert lead.last_activity_at == max([lead.created_at, *times])


deeds = st.lists(
    st.tuples(
        st.sampled_from(["act", "act", "claim", "link", "confirm", "detach", "restore"]),
        st.integers(0, 5),
    ),
    max_size=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=deeds, place=st.integers(0, 1), afterwards=deeds)
def test_after_any_deeds_what_is_stored_follows_from_the_links_that_hold(
    before: list[tuple[str, int]], place: int, afterwards: list[tuple[str, int]]
) -> None:
    with transaction.atomic():
        desk = Desk()
        for deed in before:
            desk.do(*deed)
        _link_and_detach(desk, place)
        for deed in afterwards:
            desk.do(*deed)
        desk.check()
        transaction.set_rollback(True)


def _link_and_detach(desk: Desk, place: int) -> None:
    """Prove something new and take it back: every row is as it was."""
    desk.act()
    state = rows()
    known = set(VisitorLink.objects.filter(proven_at__isnull=False).values_list("pk", flat=True))
    made = desk.link(place, proven=True)
    if made.pk not in known:
        detach_link(link_id=made.pk, actor=desk.colleague, now=desk.now)
        for visitor in state["visitors"]:
            visitor["claim_id"] = None
        assert rows() == state
