"""The agreement from a draft to both signatures: changed on pages, guarded until it is signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.agreement_diff import changes_between
from handoff.enums import AgreementState, Commitment, Side
from handoff.models import Agreement
from handoff.services import (
    AgreementInvalid,
    SignatureRefused,
    TierTerms,
    draft_next,
    revise_draft,
    sign_agreement,
)
from handoff.services.terms import check_tiers, owners_of, tiers_of
from tests.factories import NOW, client_of, make_lead, make_user
from tests.handoff.factories import ANY_LEAD, BUYING_ACT, make_agreement, make_scoring_model

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
GERMANY = {"field": "country", "op": "in", "value": ["DE"]}
FRANCE = {"field": "country", "op": "in", "value": ["FR"]}


def tier(name: str, criteria: Any = None, *, fast: bool = False) -> TierTerms:
    return TierTerms(name, HOUR, HOUR, HOUR, criteria=criteria or {}, is_fast_track=fast)


@pytest.fixture
def draft() -> Agreement:
    make_scoring_model()
    return draft_next(now=NOW)


@pytest.fixture
def marketer() -> Client:
    return client_of(make_user(Role.MARKETER, full_name="Mira"))


def test_the_first_draft_is_the_default_policy_and_the_next_one_the_text_in_force() -> None:
    with pytest.raises(AgreementInvalid, match="Publish a scoring model first"):
        draft_next(now=NOW)
    current = make_agreement(mqls_per_month=630, attempts_owed=4)
    draft = draft_next(now=NOW)
    assert (draft.version, draft.mqls_per_month, draft.attempts_owed) == (2, 630, 4)
    assert tiers_of(draft) == tiers_of(current)
    assert draft_next(now=NOW) == draft
    assert changes_between(current, draft) == []


@pytest.mark.parametrize(
    ("tiers", "problem"),
    [
        ([tier("1"), tier("2", GERMANY)], "Tier 2 matches nothing: tier 1 before it takes"),
        ([tier("1", GERMANY), tier("2", GERMANY), tier("3")], "Tier 2 matches nothing"),
        ([tier("1", fast=True), tier("2", fast=True), tier("3")], "Tier 2 matches nothing"),
        ([tier("1", GERMANY), tier("1")], "There are two tiers 1"),
        ([TierTerms("1", HOUR, timedelta(0), HOUR)], "allows no time for First touch"),
        ([TierTerms("1", HOUR, HOUR, timedelta(days=900))], "a year is the most"),
    ],
)
def test_a_tier_that_gets_no_lead_or_no_time_is_refused(
    tiers: list[TierTerms], problem: str
) -> None:
    with pytest.raises(AgreementInvalid, match=problem):
        check_tiers(tiers)


def test_tiers_that_all_get_leads_are_taken() -> None:
    check_tiers([BUYING_ACT, tier("2", GERMANY), tier("3", FRANCE), ANY_LEAD])
    check_tiers([tier("1"), tier("2", fast=True)])
    check_tiers([tier("1", GERMANY), tier("2", GERMANY)])
    check_tiers([tier("1", GERMANY), tier("2", GERMANY, fast=True)])


def test_a_tier_that_no_lead_there_is_fits_is_refused(draft: Agreement) -> None:
    revise_draft(agreement_id=draft.pk, revision=1, tiers=[tier("1", FRANCE), ANY_LEAD], now=NOW)
    make_lead(country="DE")
    again = [tier("1", FRANCE), ANY_LEAD]  # was written before anything was known
    revise_draft(agreement_id=draft.pk, revision=2, tiers=again, now=NOW)
    revise_draft(agreement_id=draft.pk, revision=3, tiers=[tier("1", GERMANY), ANY_LEAD], now=NOW)
    with pytest.raises(AgreementInvalid, match="not one lead there is fits"):
        revise_draft(agreement_id=draft.pk, revision=4, tiers=again, now=NOW)


def test_a_draft_is_changed_by_one_person_at_a_time_and_never_after_a_signature(
    draft: Agreement,
) -> None:
    mira = make_user(Role.MARKETER)
    revise_draft(
        agreement_id=draft.pk, revision=1, now=NOW, mqls_per_month=200,
        owners={Commitment.VOLUME: mira},
    )  # fmt: skip
    with pytest.raises(AgreementInvalid, match="Somebody changed the draft"):
        revise_draft(agreement_id=draft.pk, revision=1, now=NOW, mqls_per_month=300)
    draft.refresh_from_db()
    assert (draft.mqls_per_month, owners_of(draft)) == (200, {Commitment.VOLUME: mira})
    with pytest.raises(SignatureRefused, match="changed since you opened it"):
        sign_agreement(agreement_id=draft.pk, signer=mira, side=Side.MARKETING, now=NOW, revision=1)
    sign_agreement(agreement_id=draft.pk, signer=mira, side=Side.MARKETING, now=NOW, revision=2)
    with pytest.raises(AgreementInvalid, match="signed by one side: draft the next version"):
        revise_draft(agreement_id=draft.pk, revision=2, now=NOW, mqls_per_month=300)
    assert draft_next(now=NOW).version == draft.version + 1


def test_who_answered_for_a_promise_stays_in_its_text_after_leaving(draft: Agreement) -> None:
    mira = make_user(Role.MARKETER)
    owners = {Commitment.VOLUME: mira}
    draft = revise_draft(agreement_id=draft.pk, revision=1, now=NOW, owners=owners)
    User.objects.filter(pk=mira.pk).update(is_active=False)

    assert owners_of(draft) == owners
    assert owners_of(revise_draft(agreement_id=draft.pk, revision=2, now=NOW)) == {}


def test_a_review_that_has_passed_is_refused(draft: Agreement) -> None:
    with pytest.raises(AgreementInvalid, match="review date has passed"):
        revise_draft(agreement_id=draft.pk, revision=1, now=NOW, review_on=NOW.date())


def test_differences_are_sentences() -> None:
    old_terms = make_agreement(ANY_LEAD, mqls_per_month=600)
    new = draft_next(now=NOW)
    slower = TierTerms("Everything else", 3 * HOUR, 4 * HOUR, 18 * HOUR)
    new = revise_draft(
        agreement_id=new.pk, revision=1, now=NOW, tiers=[BUYING_ACT, slower],
        mqls_per_month=630, reassign_after=2 * HOUR,
        owners={Commitment.ON_TIME: make_user(Role.MANAGER, full_name="Hanna")},
    )  # fmt: skip
    assert changes_between(old_terms, new) == [
        "MQLs a month: 630, was 600",
        "Taken from its holder after: 2 h, was never",
        "New tier Buying acts: Buying acts",
        "Tier Everything else: accept 3 h, was 2 h",
        "First touch in time: Hanna answers for it",
    ]


def test_the_document_counts_the_taking_away_from_the_due_time(marketer: Client) -> None:
    make_agreement(escalate_after=HOUR, reassign_after=2 * HOUR)

    page = marketer.get(reverse("handoff:agreement")).content.decode()

    assert "still unanswered 2 h of working time after it was due goes to" in page


def test_the_draft_is_made_changed_and_signed_on_pages(draft: Agreement, marketer: Client) -> None:
    address = reverse("handoff:agreement_edit", args=[draft.version])
    assert marketer.post(reverse("handoff:agreement_next")).headers["Location"] == address
    form = marketer.get(address).context["form"]
    said = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in said.items() if value not in (None, "")}
    assert (sent["escalate_after"], "reassign_after" in sent) == (0, False)
    changed = {**sent, "revision": 1, "mqls_per_month": 630, "reassign_after": 90}
    assert marketer.post(address, changed).status_code == 302
    stale = marketer.post(address, changed)
    assert stale.status_code == 422
    assert "Somebody changed the draft" in stale.content.decode()
    draft.refresh_from_db()
    assert (draft.mqls_per_month, draft.reassign_after) == (630, timedelta(minutes=90))
    page = marketer.get(reverse("handoff:agreement"), {"version": draft.version}).content.decode()
    assert "630 MQLs a month" in page
    assert "Sign for Marketing" in page


def test_a_tier_is_added_moved_and_removed_on_pages(draft: Agreement, marketer: Client) -> None:
    new = reverse("handoff:agreement_tier_new", args=[draft.version])
    fields = {
        "name": "Germany", "accept_within": 15, "first_touch_within": 30, "verdict_within": 480,
        "criteria": '{"field":"country","op":"in","value":["DE"]}',
    }  # fmt: skip
    zero = marketer.post(new, {**fields, "revision": 1, "accept_within": 0})
    assert zero.status_code == 422
    assert "greater than or equal to 1" in zero.content.decode()
    assert marketer.post(new, {**fields, "revision": 1}).status_code == 302
    assert [each.name for each in tiers_of(draft)] == ["1", "Germany", "2"]
    down = reverse("handoff:agreement_tier_move", args=[draft.version, 2, "down"])
    refused = marketer.post(down, {"revision": 2}, follow=True).content.decode()
    assert "Tier Germany matches nothing" in refused
    up = reverse("handoff:agreement_tier_move", args=[draft.version, 2, "up"])
    assert marketer.post(up, {"revision": 2}).status_code == 302
    assert [each.name for each in tiers_of(draft)] == ["Germany", "1", "2"]
    assert marketer.post(up.replace("up", "out"), {"revision": 3}).status_code == 302
    assert [each.name for each in tiers_of(draft)] == ["Germany", "2"]
    shown = marketer.get(reverse("handoff:agreement_tier", args=[draft.version, 1]))
    assert "Country is Germany" in shown.content.decode()


def test_a_tier_with_a_name_to_the_left_turns_no_sentence(marketer: Client) -> None:
    name = "ירושלים"
    make_agreement(BUYING_ACT, ANY_LEAD)
    make_agreement(BUYING_ACT, replace(ANY_LEAD, name=name))

    page = marketer.get(reverse("handoff:agreement")).content.decode()

    assert f"New tier \u2068{name}\u2069: Every other MQL" in page


def test_versions_are_compared(marketer: Client) -> None:
    make_agreement(mqls_per_month=600)
    second = make_agreement(mqls_per_month=630)
    page = marketer.get(reverse("handoff:agreement")).content.decode()
    assert "What is new since v1" in page
    assert "MQLs a month: 630, was 600" in page
    back = marketer.get(reverse("handoff:agreement"), {"version": 1, "against": 2})
    assert "MQLs a month: 600, was 630" in back.content.decode()
    assert Agreement.objects.get(state=AgreementState.IN_FORCE) == second
