"""The page of an agreement that waits: what changes, who signs, who may look."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from scoring.models import ScoringModel
from scoring.services import approve, change_draft, publish, published_model
from tests.factories import NOW, client_of, make_user
from tests.handoff.agreeing import drafted, same_meaning
from tests.handoff.factories import make_agreement, other_definition
from tests.scoring.drafts import back_tested, make_draft, ready_draft, request

pytestmark = pytest.mark.django_db


def _page(web: Client, version: int) -> str:
    answer = web.get(reverse("handoff:agreement"), {"version": version})
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_shows_what_changes_and_each_side_signs_there() -> None:
    make_agreement()
    draft = ready_draft(other_definition("A1", "A2", "A3", "B1", "B2", "C1", "C2"))
    marketer, manager = (client_of(make_user(role)) for role in (Role.MARKETER, Role.MANAGER))
    answer = marketer.post(reverse("handoff:draft_agreement", args=[draft.pk]))
    assert answer.url == f"{reverse('handoff:agreement')}?version=2"  # type: ignore[attr-defined]

    page = _page(marketer, 2)
    assert "Waits for signatures" in page
    assert "New cell C2: makes an MQL" in page
    assert "Sign for Marketing" in page
    assert "Sign for Sales" not in page
    sign = reverse("handoff:sign_agreement", args=[2])
    assert marketer.post(sign, {"side": "SALES", "revision": "1"}).status_code == 422
    assert marketer.post(sign).status_code == 422
    assert marketer.post(sign, {"side": "MARKETING", "revision": "1"}).status_code == 302
    assert "Sign for" not in _page(marketer, 2)
    assert manager.post(sign, {"side": "SALES", "revision": "1"}).status_code == 302

    assert published_model() == draft
    assert "Signed by both sides" in _page(client_of(make_user(Role.REP)), 2)
    assert manager.post(sign, {"side": "SALES", "revision": "1"}).status_code == 404


def test_a_rep_does_not_see_what_waits_and_nobody_what_is_outdated() -> None:
    make_agreement()
    draft = ready_draft(other_definition())
    version = drafted(draft).version
    rep, marketer = client_of(make_user(Role.REP)), client_of(make_user(Role.MARKETER))
    address = reverse("handoff:agreement")
    assert rep.get(address, {"version": version}).status_code == 404
    _page(marketer, version)
    change_draft(
        model_id=draft.pk, revision=draft.revision, definition={}, actor=make_user(), now=NOW
    )
    assert marketer.get(address, {"version": version}).status_code == 404


def test_a_signature_never_goes_to_a_text_that_was_drafted_after_the_one_read() -> None:
    make_agreement()
    draft = ready_draft(other_definition())
    read = drafted(draft)
    web = client_of(make_user(Role.MANAGER))
    assert "Sign for Sales" in _page(web, read.version)

    written_anew = drafted(_widened(draft))
    answer = web.post(
        reverse("handoff:sign_agreement", args=[read.version]),
        {"side": "SALES", "revision": "1"},
        follow=True,
    )

    assert f"{written_anew} was drafted in its place: read that one." in answer.content.decode()
    written_anew.refresh_from_db()
    assert written_anew.signed_by_sales is None
    assert written_anew.version > read.version


def _widened(draft: ScoringModel) -> ScoringModel:
    """Change what a draft means by an MQL, and have that approved."""
    assert draft.changed_by is not None
    draft = change_draft(
        model_id=draft.pk,
        revision=draft.revision,
        definition=other_definition("D4", "D3"),
        actor=draft.changed_by,
        now=NOW,
    ).model
    back_tested(request(draft))
    return approve(
        model_id=draft.pk, revision=draft.revision, actor=make_user(Role.MANAGER), now=NOW
    )


def test_a_refused_draft_says_why() -> None:
    make_agreement()
    draft = make_draft(other_definition())
    web = client_of(make_user(Role.MARKETER))
    answer = web.post(reverse("handoff:draft_agreement", args=[draft.pk]), follow=True)
    assert "Have Model v2 approved by a second person first." in answer.content.decode()


def test_the_page_names_a_later_model_with_the_same_definition() -> None:
    make_agreement()
    publish(model_id=ready_draft(same_meaning()).pk, now=NOW)
    assert "v2 is in force, with the same definition of an MQL" in _page(
        client_of(make_user(Role.REP)), 1
    )
