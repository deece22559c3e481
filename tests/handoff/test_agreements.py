"""The agreement: signed by two people of the right side, one version in force, handoffs pinned."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm.accounts.enums import Role
from crm.common.criteria import CriteriaInvalid
from handoff.enums import AgreementState, Side
from handoff.models import Agreement
from handoff.services import (
    AgreementInvalid,
    SignatureRefused,
    TierTerms,
    draft_agreement,
    sign_agreement,
)
from tests.factories import NOW, make_user
from tests.handoff.factories import (
    ANY_LEAD,
    make_agreement,
    make_handoff,
    make_scoring_model,
    overlapping,
)

pytestmark = pytest.mark.django_db


def _draft() -> Agreement:
    return draft_agreement(scoring_model=make_scoring_model(), tiers=[ANY_LEAD], now=NOW)


def test_one_signature_puts_nothing_in_force() -> None:
    draft = _draft()
    marketer = make_user(Role.MARKETER)

    signed = sign_agreement(agreement_id=draft.pk, signer=marketer, side=Side.MARKETING, now=NOW)

    assert (signed.state, signed.marketing_signed_at) == (AgreementState.DRAFT, NOW)
    assert not Agreement.objects.in_force(NOW).exists()


def test_the_second_signature_puts_it_in_force_and_ends_the_one_before() -> None:
    first = make_agreement(now=NOW - timedelta(days=90))

    second = make_agreement(now=NOW)

    first.refresh_from_db()
    assert (second.version, second.state, second.in_force_from) == (
        2,
        AgreementState.IN_FORCE,
        NOW,
    )
    assert (first.state, first.superseded_at) == (AgreementState.SUPERSEDED, NOW)


def test_open_handoffs_keep_the_version_they_are_pinned_to() -> None:
    first = make_agreement()
    handoff = make_handoff()

    make_agreement(now=NOW + timedelta(hours=1))

    handoff.refresh_from_db()
    assert handoff.agreement == first


def test_the_wrong_role_does_not_sign() -> None:
    draft = _draft()

    with pytest.raises(SignatureRefused, match="marketer"):
        sign_agreement(
            agreement_id=draft.pk, signer=make_user(Role.MANAGER), side=Side.MARKETING, now=NOW
        )


def test_one_person_with_both_roles_does_not_sign_for_both_sides() -> None:
    draft = _draft()
    both = make_user(Role.MARKETER, Role.MANAGER)
    sign_agreement(agreement_id=draft.pk, signer=both, side=Side.MARKETING, now=NOW)

    with pytest.raises(SignatureRefused, match="Somebody else has to sign for Sales"):
        sign_agreement(agreement_id=draft.pk, signer=both, side=Side.SALES, now=NOW)


def test_a_side_signs_once() -> None:
    draft = _draft()
    sign_agreement(agreement_id=draft.pk, signer=make_user(Role.MANAGER), side=Side.SALES, now=NOW)

    with pytest.raises(SignatureRefused, match="signed already"):
        sign_agreement(
            agreement_id=draft.pk, signer=make_user(Role.MANAGER), side=Side.SALES, now=NOW
        )


def test_what_is_in_force_is_not_signed_again() -> None:
    agreement = make_agreement()

    with pytest.raises(SignatureRefused, match="no draft"):
        sign_agreement(
            agreement_id=agreement.pk, signer=make_user(Role.MANAGER), side=Side.SALES, now=NOW
        )


def test_an_agreement_without_tiers_or_time_is_refused() -> None:
    model = make_scoring_model()
    none = TierTerms("Now", timedelta(0), timedelta(hours=1), timedelta(hours=2))

    with pytest.raises(AgreementInvalid, match="at least one tier"):
        draft_agreement(scoring_model=model, tiers=[], now=NOW)
    with pytest.raises(AgreementInvalid, match="Tier Now allows no time"):
        draft_agreement(scoring_model=model, tiers=[none], now=NOW)
    assert not Agreement.objects.exists()


def test_a_tier_that_nobody_can_read_is_refused() -> None:
    hour = timedelta(hours=1)
    odd = TierTerms("Odd", hour, hour, hour, criteria={"field": "nothing", "op": "is", "value": 1})

    with pytest.raises(CriteriaInvalid):
        draft_agreement(scoring_model=make_scoring_model(), tiers=[odd], now=NOW)


@pytest.mark.django_db(transaction=True)
def test_of_two_drafts_at_once_the_second_is_the_next_version() -> None:
    model = make_scoring_model()

    def draft() -> Agreement:
        return draft_agreement(scoring_model=model, tiers=[ANY_LEAD], now=NOW)

    first, second = overlapping(draft, draft)

    assert (first.version, second.version) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_of_two_versions_signed_at_once_the_later_is_in_force() -> None:
    model, manager = make_scoring_model(), make_user(Role.MANAGER)
    drafts = [draft_agreement(scoring_model=model, tiers=[ANY_LEAD], now=NOW).pk for _ in range(2)]
    for pk in drafts:
        marketer = make_user(Role.MARKETER)
        sign_agreement(agreement_id=pk, signer=marketer, side=Side.MARKETING, now=NOW)

    def sign(pk: int) -> Agreement:
        return sign_agreement(agreement_id=pk, signer=manager, side=Side.SALES, now=NOW)

    overlapping(lambda: sign(drafts[0]), lambda: sign(drafts[1]))

    states = Agreement.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == [AgreementState.SUPERSEDED, AgreementState.IN_FORCE]
