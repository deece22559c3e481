"""A model that changes what an MQL is comes into force with an agreement that both sides signed."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from crm.accounts.enums import Role
from crm.common.models import Notification
from handoff.enums import AgreementState, Side
from handoff.models import Agreement
from handoff.services import (
    AgreementInvalid,
    SignatureRefused,
    draft_agreement,
    draft_for_model,
)
from scoring.diff import same_mql_definition
from scoring.models import ScoringModel
from scoring.presets import default_definition
from scoring.services import (
    DraftChanged,
    GateClosed,
    NotADraft,
    change_draft,
    discard_draft,
    gates_of,
    publish,
    publish_due_models,
    published_model,
    schedule,
    withdraw_approval,
)
from tests.factories import NOW, make_user
from tests.handoff.agreeing import drafted, same_meaning, signed
from tests.handoff.factories import (
    ANY_LEAD,
    make_agreement,
    make_handoff,
    other_definition,
    overlapping,
)
from tests.scoring.drafts import approved, back_tested, ready_draft, request
from tests.scoring.logs import force_model

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def agreed_definition_is_in_force() -> bool:
    agreement = Agreement.objects.get(state=AgreementState.IN_FORCE)
    model = published_model()
    assert model is not None
    return same_mql_definition(agreement.scoring_model.definition, model.definition)


def test_a_draft_that_changes_no_definition_needs_no_signature() -> None:
    agreement = make_agreement()
    draft = ready_draft(same_meaning())
    assert [gate.name for gate in gates_of(draft, now=NOW)] == ["back_test", "approval"]

    model = publish(model_id=draft.pk, now=NOW)

    agreement.refresh_from_db()
    assert (published_model(), agreement.state) == (model, AgreementState.IN_FORCE)
    assert agreed_definition_is_in_force()


def test_a_draft_that_changes_the_definition_waits_for_both_signatures() -> None:
    make_agreement()
    draft = ready_draft(other_definition())
    with pytest.raises(GateClosed, match="Draft the next agreement: Model v2 changes the MQL"):
        publish(model_id=draft.pk, now=NOW)

    agreement = signed(drafted(draft), Side.SALES)

    with pytest.raises(GateClosed, match="Agreement v2 waits for the signature of Marketing"):
        publish(model_id=draft.pk, now=NOW)
    assert agreement.state == AgreementState.DRAFT
    assert agreed_definition_is_in_force()


def test_the_second_signature_puts_model_and_agreement_in_force_together() -> None:
    first = make_agreement()
    handoff = make_handoff()
    draft = ready_draft(other_definition())

    second = signed(drafted(draft), now=NOW + HOUR)

    draft.refresh_from_db()
    first.refresh_from_db()
    handoff.refresh_from_db()
    assert (draft.state, draft.published_at) == ("PUBLISHED", NOW + HOUR)
    assert draft.published_by == second.signed_by_sales
    assert (second.state, second.in_force_from) == (AgreementState.IN_FORCE, NOW + HOUR)
    assert (first.state, first.superseded_at) == (AgreementState.SUPERSEDED, NOW + HOUR)
    assert (handoff.agreement, second.scoring_model) == (first, draft)
    assert agreed_definition_is_in_force()


def test_the_draft_is_a_copy_of_the_agreement_in_force_with_the_new_model() -> None:
    make_agreement(sql_goal=41, attempts_owed=9)
    marketer = make_user(Role.MARKETER)
    draft = ready_draft(other_definition())

    copy = drafted(draft)

    assert (copy.version, copy.sql_goal, copy.attempts_owed) == (2, 41, 9)
    assert [(tier.name, tier.accept_within) for tier in copy.tiers.order_by("position")] == [
        ("Buying acts", timedelta(minutes=10)),
        ("Everything else", timedelta(hours=2)),
    ]
    assert drafted(draft) == copy
    assert Notification.objects.filter(recipient=marketer, key__startswith="agreement").count() == 1


def test_with_a_time_set_both_come_into_force_then() -> None:
    first = make_agreement()
    draft = ready_draft(other_definition())
    schedule(
        model_id=draft.pk,
        revision=draft.revision,
        publish_at=NOW + HOUR,
        actor=make_user(),
        now=NOW,
    )

    waiting = signed(drafted(draft))

    assert waiting.state == AgreementState.DRAFT
    first.refresh_from_db()
    assert first.state == AgreementState.IN_FORCE
    publish_due_models(now=NOW + HOUR)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.in_force_from) == (AgreementState.IN_FORCE, NOW + HOUR)
    assert published_model() == draft


def test_a_time_that_comes_before_the_signatures_leaves_everything_as_it_was() -> None:
    first = make_agreement()
    draft = ready_draft(other_definition())
    schedule(
        model_id=draft.pk,
        revision=draft.revision,
        publish_at=NOW + HOUR,
        actor=make_user(),
        now=NOW,
    )
    signed(drafted(draft), Side.SALES)

    publish_due_models(now=NOW + HOUR)

    draft.refresh_from_db()
    assert (draft.is_draft, draft.publish_at) == (True, None)
    assert draft.held_up == "Agreement v2 waits for the signature of Marketing."
    assert Agreement.objects.get(state=AgreementState.IN_FORCE) == first


def test_signatures_are_under_one_revision_of_the_model() -> None:
    make_agreement()
    draft = ready_draft(other_definition())
    agreement = signed(drafted(draft), Side.SALES)
    changed = change_draft(
        model_id=draft.pk,
        revision=draft.revision,
        definition=other_definition("D4"),
        actor=make_user(),
        now=NOW,
    ).model

    with pytest.raises(SignatureRefused, match="Model v2 was changed since Agreement v2"):
        signed(agreement, Side.MARKETING)
    with pytest.raises(AgreementInvalid, match="approved by a second person first"):
        drafted(changed)
    assert gates_of(changed, now=NOW)[-1].act == "Draft agreement"


def test_nobody_signs_for_a_model_whose_approval_was_taken_back() -> None:
    make_agreement()
    draft = ready_draft(other_definition())
    agreement = drafted(draft)
    withdraw_approval(model_id=draft.pk, revision=draft.revision, actor=make_user(), now=NOW)
    with pytest.raises(SignatureRefused, match="a second person approves Model v2"):
        signed(agreement, Side.SALES)


def test_an_older_draft_does_not_replace_a_newer_agreement() -> None:
    make_agreement()
    draft = ready_draft(other_definition())
    older = signed(drafted(draft), Side.SALES)
    model = published_model()
    assert model is not None
    signed(draft_agreement(scoring_model=model, tiers=[ANY_LEAD], now=NOW))

    with pytest.raises(SignatureRefused, match="Agreement v3 is newer and in force"):
        signed(older, Side.MARKETING)
    with pytest.raises(GateClosed, match="Draft the next agreement"):
        publish(model_id=draft.pk, now=NOW)
    listed = Agreement.objects.readable_by(make_user(Role.MANAGER)).order_by("version")
    assert list(listed.values_list("version", flat=True)) == [1, 3]
    assert signed(drafted(draft)).version == 4


def test_an_approval_beside_another_model_is_none_to_draft_an_agreement_by() -> None:
    make_agreement()
    draft = ready_draft(other_definition())
    force_model(same_meaning(), now=NOW + HOUR)
    with pytest.raises(AgreementInvalid, match="approved by a second person first"):
        drafted(draft)


def test_a_model_that_comes_late_takes_no_older_agreement_along() -> None:
    make_agreement()
    late, early = ready_draft(other_definition()), ready_draft(other_definition())
    schedule(
        model_id=late.pk, revision=late.revision, publish_at=NOW + HOUR, actor=make_user(), now=NOW
    )
    signed(drafted(late))
    newer = signed(drafted(early))
    back_tested(late)
    approved(late)

    publish_due_models(now=NOW + HOUR)

    assert published_model() == late
    assert Agreement.objects.get(state=AgreementState.IN_FORCE) == newer


def test_an_agreement_under_a_model_that_went_is_not_signed() -> None:
    old = make_agreement().scoring_model
    stale = draft_agreement(scoring_model=old, tiers=[ANY_LEAD], now=NOW)
    signed(drafted(ready_draft(other_definition())))
    with pytest.raises(SignatureRefused, match="is newer and in force"):
        signed(stale, Side.SALES)
    late = draft_agreement(scoring_model=old, tiers=[ANY_LEAD], now=NOW)
    with pytest.raises(SignatureRefused, match="Model v1, which is not the one in force"):
        signed(late, Side.SALES)


def test_a_model_that_changes_nothing_signed_gets_no_agreement() -> None:
    make_agreement()
    with pytest.raises(AgreementInvalid, match="changes nothing that both teams signed"):
        drafted(ready_draft(same_meaning()))


def test_without_an_agreement_in_force_nobody_has_to_sign() -> None:
    draft = ready_draft(other_definition())
    assert publish(model_id=draft.pk, now=NOW) == published_model()
    with pytest.raises(NotADraft):
        drafted(draft)


@pytest.mark.django_db(transaction=True)
def test_of_signature_and_change_at_once_one_is_refused() -> None:
    make_agreement()
    draft = ready_draft(other_definition())
    agreement = signed(drafted(draft), Side.SALES)

    def change() -> object:
        return change_draft(
            model_id=draft.pk,
            revision=draft.revision,
            definition=other_definition("D4"),
            actor=make_user(),
            now=NOW,
        )

    def sign() -> object:
        try:
            return signed(agreement, Side.MARKETING)
        except SignatureRefused as refusal:
            return str(refusal)

    _, answer = overlapping(change, sign)

    assert "was changed since" in str(answer)
    assert agreed_definition_is_in_force()


@pytest.mark.django_db(transaction=True)
def test_of_the_last_signature_and_a_publication_at_once_both_find_one_end() -> None:
    make_agreement()
    draft = ready_draft(other_definition())
    agreement = signed(drafted(draft), Side.SALES)

    def publish_too() -> object:
        try:
            return publish(model_id=draft.pk, now=NOW)
        except NotADraft as refusal:
            return str(refusal)

    _, answer = overlapping(lambda: signed(agreement, Side.MARKETING), publish_too)

    assert answer == "Model v2 is published, not a draft"
    assert agreed_definition_is_in_force()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_people_do_the_definition_in_force_is_the_one_signed(seed: int) -> None:
    choose, now = Random(seed), NOW
    make_agreement()
    documents = [default_definition(), same_meaning(), other_definition(), other_definition("D4")]
    for _ in range(40):
        now += HOUR
        drafts = list(ScoringModel.objects.drafts()) or [ready_draft(choose.choice(documents))]
        step = choose.choice(STEPS)
        with suppress(*REFUSALS):
            step(choose.choice(drafts), choose.choice(documents), now)
        assert agreed_definition_is_in_force(), step
    assert ScoringModel.objects.filter(published_at__isnull=False).count() > 1


REFUSALS = (GateClosed, NotADraft, DraftChanged, SignatureRefused, AgreementInvalid)


def _change(draft: ScoringModel, document: dict[str, Any], now: Any) -> None:
    change_draft(
        model_id=draft.pk, revision=draft.revision, definition=document, actor=make_user(), now=now
    )


def _make_ready(draft: ScoringModel, _: object, now: Any) -> None:
    back_tested(draft, now=now)
    drafts = request(draft, now=now)
    ScoringModel.objects.filter(pk=drafts.pk).update(
        approved_by=make_user(Role.MANAGER), approved_at=now, approved_revision=draft.revision
    )


def _schedule(draft: ScoringModel, _: object, now: Any) -> None:
    schedule(
        model_id=draft.pk,
        revision=draft.revision,
        publish_at=now + HOUR / 2,
        actor=make_user(),
        now=now,
    )


def _sign(_draft: ScoringModel, _: object, now: Any) -> None:
    for agreement in Agreement.objects.filter(state=AgreementState.DRAFT).order_by("?")[:1]:
        signed(agreement, now=now)


def _redraft(*_: object) -> None:
    model = published_model()
    assert model is not None
    draft_agreement(scoring_model=model, tiers=[ANY_LEAD], now=NOW)


STEPS = (
    _change,
    _make_ready,
    _make_ready,
    _schedule,
    _sign,
    _sign,
    _redraft,
    lambda draft, _, now: draft_for_model(model_id=draft.pk, actor=make_user(), now=now),
    lambda draft, _, now: publish(model_id=draft.pk, now=now),
    lambda draft, _, now: publish_due_models(now=now),
    lambda draft, _, now: withdraw_approval(
        model_id=draft.pk, revision=draft.revision, actor=make_user(), now=now
    ),
    lambda draft, _, now: discard_draft(model_id=draft.pk, revision=draft.revision, now=now),
)
