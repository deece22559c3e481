"""Identifications as rows: what is kept, claimed, proven and attached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from engagement.enums import EventKind, LinkAct, LinkReason, SourceKind
from engagement.models import Event, InboxMessage, LinkChange, Source, Visitor, VisitorLink
from engagement.services import link_visitor, record_event
from engagement.signals import events_absorbed
from engagement.tokens import PROOF_LASTS, prove
from leads.models import Lead
from tests.engagement.inbox import CHROME, HOUR, NOW, absorb, identify, message, owners
from tests.factories import make_lead

pytestmark = pytest.mark.django_db

ADA, BEN = "ada@example.com", "ben@example.com"


@pytest.fixture
def website() -> None:
    """Make the source that the messages of these tests come from a website."""
    Source.objects.create(
        name="site", label="Site", kind=SourceKind.WEBSITE, write_key="k", created_at=NOW
    )


@pytest.fixture
def ada() -> Lead:
    return make_lead(email=ADA, created_at=NOW - 90 * HOUR)


def link(lead: Lead, anonymous_id: str = "laptop", **said: object) -> VisitorLink:
    arguments = {"reason": LinkReason.FORM, "now": NOW, **said}
    return link_visitor(anonymous_id=anonymous_id, lead_id=lead.pk, **arguments)  # type: ignore[arg-type]


def with_token(message_id: str, token: str, **body: object) -> dict[str, object]:
    return message(
        message_id, at=NOW, context={"userAgent": CHROME, "baton": {"token": token}}, **body
    )


def test_a_browser_that_sent_a_form_is_linked_and_brings_its_history(ada: Lead) -> None:
    absorb(message("before"))

    made = link(ada, evidence="Form Contact")

    visitor = Visitor.objects.get()
    ada.refresh_from_db()
    assert (made.visitor, made.lead, made.reason) == (visitor, ada, LinkReason.FORM)
    assert (made.evidence, made.made_at, made.proven_at) == ("Form Contact", NOW, NOW)
    assert (visitor.lead, visitor.link, visitor.identified_at) == (ada, made, NOW)
    assert Event.objects.get().link == made
    assert (owners(), ada.last_activity_at) == ([("before", ADA)], NOW - HOUR)


def test_a_browser_never_seen_before_can_be_linked(ada: Lead) -> None:
    made = link(ada)

    assert Visitor.objects.get().link == made


def test_linking_what_is_linked_changes_nothing(ada: Lead) -> None:
    assert link(ada) == link(ada, now=NOW + HOUR)


def test_upper_floors_hear_which_lead_got_events(ada: Lead) -> None:
    absorb(message("before"))
    heard: list[list[int]] = []

    def hear(*, lead_ids: list[int], **_: object) -> None:
        heard.append(lead_ids)

    events_absorbed.connect(hear)
    try:
        link(ada)
    finally:
        events_absorbed.disconnect(hear)

    assert heard == [[ada.pk]]


def test_a_robot_in_the_history_is_no_activity_of_the_lead(ada: Lead) -> None:
    absorb(message("robot", context={"userAgent": "curl/8.5.0"}))

    link(ada)

    ada.refresh_from_db()
    assert (owners(), ada.last_activity_at) == ([("robot", ADA)], NOW - 90 * HOUR)


def test_a_link_without_proof_attaches_nothing(ada: Lead) -> None:
    absorb(message("before"))

    claim = link(ada, proven=False)

    assert (claim.proven_at, claim.reason) == (None, LinkReason.FORM)
    assert Visitor.objects.get().claim == claim
    assert owners() == [("before", None)]


@pytest.mark.parametrize("anonymous_id", ["", "x" * 201, "a\0b"])
def test_an_anonymous_id_that_is_none_is_refused(ada: Lead, anonymous_id: str) -> None:
    with pytest.raises(ValueError, match="anonymous id"):
        link(ada, anonymous_id)

    assert not Visitor.objects.exists()


def test_what_baton_itself_saw_a_lead_do_needs_no_link(ada: Lead) -> None:
    made = link(ada)

    event = record_event(
        lead_id=ada.pk, kind=EventKind.FORM_SUBMIT, occurred_at=NOW, now=NOW,
        visitor_id=made.visitor_id,
    )  # fmt: skip

    assert (event.visitor, event.lead, event.link_id) == (made.visitor, ada, None)


def test_every_identification_says_why_and_since_when(ada: Lead) -> None:
    absorb(identify("1", ADA, userId="7"))

    links = VisitorLink.objects.order_by("pk")
    assert [(each.reason, each.evidence, each.made_at) for each in links] == [
        (LinkReason.SERVER, "site told their address", NOW)
    ] * 2
    assert Event.objects.get().link == Visitor.objects.get(name="laptop").link


def test_an_address_of_somebody_else_is_a_claim_that_changes_nothing(
    ada: Lead, website: None
) -> None:
    before = Lead.objects.values().get()

    absorb(
        message("before", at=NOW - 2 * HOUR),
        identify("claims", ADA, traits={"email": ADA, "firstName": "Eve", "city": "Oslo"}),
        message("under it", at=NOW),
    )

    claim = VisitorLink.objects.get()
    visitor = Visitor.objects.get()
    assert (claim.lead, claim.reason, claim.proven_at) == (ada, LinkReason.IDENTIFY, None)
    assert (visitor.lead, visitor.link, visitor.claim) == (None, None, claim)
    assert owners() == [("before", None), ("claims", None), ("under it", None)]
    assert list(Event.objects.order_by("occurred_at").values_list("link", flat=True)) == [
        None, claim.pk, claim.pk,
    ]  # fmt: skip
    assert Lead.objects.values().get() == before


def test_a_claim_holds_in_later_batches(ada: Lead, website: None) -> None:
    absorb(identify("1", ADA))
    absorb(message("2", at=NOW), identify("3", ADA, at=NOW))

    assert VisitorLink.objects.count() == 1
    assert {email for _, email in owners()} == {None}


def test_a_token_of_the_lead_proves_the_claim_and_attaches_what_was_done(
    ada: Lead, website: None
) -> None:
    absorb(message("before", at=NOW - 2 * HOUR), identify("claims", ADA))

    token = prove(lead_id=ada.pk, reason=LinkReason.EMAIL_CLICK, now=NOW)
    absorb(with_token("lands", token), now=NOW + HOUR / 60)

    claim = VisitorLink.objects.get()
    change = LinkChange.objects.get()
    visitor = Visitor.objects.get()
    assert [email for _, email in owners()] == [ADA] * 3
    assert claim.proven_at == NOW + HOUR / 60
    assert (change.link, change.act, change.reason) == (
        claim, LinkAct.PROVEN, LinkReason.EMAIL_CLICK,
    )  # fmt: skip
    assert (visitor.lead, visitor.link, visitor.claim) == (ada, claim, None)


def test_a_token_that_came_late_or_was_made_up_proves_nothing(ada: Lead, website: None) -> None:
    old = prove(lead_id=ada.pk, reason=LinkReason.EMAIL_CLICK, now=NOW - PROOF_LASTS - HOUR)

    absorb(with_token("late", old), with_token("forged", "x" * 100))

    assert not VisitorLink.objects.exists()
    assert {email for _, email in owners()} == {None}


def test_a_token_of_a_lead_that_is_gone_proves_nothing(ada: Lead, website: None) -> None:
    """Red when only its seal is looked at: the message is put aside, with all it says."""
    gone = prove(lead_id=ada.pk + 1, reason=LinkReason.EMAIL_CLICK, now=NOW)

    absorb(
        with_token("lands", gone),
        with_token("signs-up", gone, type="identify", anonymousId="phone", traits={"email": BEN}),
    )

    link = VisitorLink.objects.get()
    assert not InboxMessage.objects.exists()
    assert dict(owners()) == {"lands": None, "signs-up": BEN}
    assert (link.reason, link.evidence) == (LinkReason.IDENTIFY, "site told their address")


def test_a_server_that_names_the_browser_proves_its_claim(ada: Lead, website: None) -> None:
    absorb(identify("claims", ADA))

    absorb(identify("server", ADA, at=NOW), source="backend")

    assert [email for _, email in owners()] == [ADA, ADA]
    assert LinkChange.objects.get().words == "backend told their address"


def test_a_new_address_from_a_browser_captures_a_lead_and_is_proven(website: None) -> None:
    absorb(message("before", at=NOW - 2 * HOUR), identify("hello", ADA), message("after", at=NOW))

    assert [email for _, email in owners()] == [ADA] * 3
    assert VisitorLink.objects.get().proven_at is not None


def test_a_browser_that_was_proven_may_come_back_to_a_shared_device(
    ada: Lead, website: None
) -> None:
    ben = make_lead(email=BEN)
    link(ada)
    link(ben)

    absorb(identify("ada", ADA, at=NOW - HOUR), message("on", at=NOW))

    assert owners() == [("ada", ADA), ("on", ADA)]
    assert VisitorLink.objects.filter(proven_at__isnull=False).count() == 3


def test_a_scanner_that_opens_the_links_of_a_mail_is_not_its_reader(
    ada: Lead, website: None
) -> None:
    token = prove(lead_id=ada.pk, reason=LinkReason.EMAIL_CLICK, now=NOW)
    scanner = {"userAgent": "Mozilla/5.0 HeadlessChrome/131.0", "baton": {"token": token}}

    absorb(message("scanned", context=scanner), identify("says", BEN, context=scanner))

    assert not VisitorLink.objects.exists()
    assert Lead.objects.get() == ada


def test_an_address_that_was_captured_meanwhile_is_a_claim(website: None) -> None:
    """Red when whoever loses the race is taken for the lead all the same."""

    captured: list[bool] = []

    def capture_first(execute: Callable[..., Any], sql: str, *told: Any) -> Any:
        """Capture as soon as the batch has asked whose the addresses are."""
        answer = execute(sql, *told)
        if 'FROM "leads_lead"' in sql and "IN (" in sql and not captured:
            captured.append(True)
            make_lead(email=BEN)
        return answer

    with connection.execute_wrapper(capture_first):
        absorb(
            identify("new", ADA, at=NOW - HOUR),
            identify("late", BEN, at=NOW, anonymousId="phone"),
        )

    assert captured
    assert owners() == [("new", ADA), ("late", None)]
