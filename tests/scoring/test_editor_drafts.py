"""The life of a draft through its page: started once, refused with a reason, restored, compared."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from scoring.editor.document import with_cell
from scoring.enums import ModelState
from scoring.models import ScoringModel
from scoring.services import approve, change_draft, request_approval, start_draft
from tests.factories import NOW, client_of, make_user
from tests.scoring.logs import force_model, publish_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> User:
    return make_user(Role.MARKETER, full_name="Mira Feldkamp")


@pytest.fixture
def draft(author: User) -> ScoringModel:
    publish_model()
    return start_draft(actor=author, now=NOW)


def said(client: Client, url: str, **data: Any) -> list[str]:
    """Send a form; return what the page that it leads to tells."""
    answer = client.post(url, data, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_a_draft_is_started_once_however_often_the_button_is_pressed(author: User) -> None:
    publish_model()
    client = client_of(author)
    for _ in range(2):
        answer = client.post("/scoring/start/", {"form_token": "one"})

    assert answer["Location"] == "/scoring/2/"
    assert ScoringModel.objects.drafts().count() == 1


def test_what_comes_too_early_says_what_to_do(author: User, draft: ScoringModel) -> None:
    client = client_of(author)
    sent = {"revision": draft.revision}

    assert said(client, "/scoring/2/draft/publish/", **sent) == [
        "Back-test Model v2 as it is now, and wait for the result."
    ]
    assert said(client, "/scoring/2/judge/approve/", **sent) == [
        "Nobody has asked for the approval of Model v2 yet: ask for it first."
    ]
    assert said(client, "/scoring/2/draft/request/", revision=7)[0].startswith("Mira Feldkamp")
    assert said(client, "/scoring/2/draft/schedule/", publish_at="never") == [
        "Give a date and a time at which it shall come into force."
    ]


def test_a_faulty_draft_is_not_sent_to_anybody(author: User, draft: ScoringModel) -> None:
    change_draft(
        model_id=draft.pk, revision=1, definition={**draft.definition, "x": 1}, actor=author,
        now=NOW,
    )  # fmt: skip

    assert said(client_of(author), "/scoring/2/draft/request/", revision=2) == [
        "Model v2 has a fault: mend what is marked in red first."
    ]


def test_who_asked_does_not_approve_and_somebody_else_does(
    author: User, draft: ScoringModel
) -> None:
    manager = client_of(make_user(Role.MANAGER))
    client = client_of(author)
    said(client, "/scoring/2/draft/request/", revision=1)

    assert "Approve</span>" not in client.get("/scoring/2/").content.decode()
    assert "Approve</span>" in manager.get("/scoring/2/").content.decode()
    assert said(manager, "/scoring/2/judge/approve/", revision=1) == ["Model v2 is approved."]
    assert said(manager, "/scoring/2/judge/withdraw/", revision=1) == [
        "Model v2 is no longer approved."
    ]


@pytest.mark.parametrize(
    ("act", "data"),
    [
        ("draft/publish", {}),
        ("draft/schedule", {"publish_at": "2100-01-01T09:00"}),
        ("draft/unschedule", {}),
        ("judge/withdraw", {}),
    ],
)
def test_nothing_is_done_to_a_revision_that_the_page_did_not_show(
    author: User, draft: ScoringModel, act: str, data: dict[str, Any]
) -> None:
    changed = with_cell(draft.definition, "C2")
    change_draft(model_id=draft.pk, revision=1, definition=changed, actor=author, now=NOW)
    [told] = said(client_of(author), f"/scoring/2/{act}/", revision=1, **data)
    assert told.startswith("Mira Feldkamp changed Model v2")


def test_a_gate_says_on_which_day_it_was_passed(author: User, draft: ScoringModel) -> None:
    request_approval(model_id=draft.pk, revision=1, actor=author, now=NOW)
    approve(model_id=draft.pk, revision=1, actor=make_user(Role.MANAGER), now=NOW)
    page = client_of(author).get("/scoring/2/").content.decode()
    assert re.search(r"Second person approves 12 May, \d\d:00", page)


def test_when_another_model_came_into_force_the_page_offers_to_ask_again(
    author: User, draft: ScoringModel
) -> None:
    request_approval(model_id=draft.pk, revision=1, actor=author, now=NOW)
    approve(model_id=draft.pk, revision=1, actor=make_user(Role.MANAGER), now=NOW)
    force_model(now=NOW + timedelta(hours=1))
    assert "Request approval" in client_of(author).get("/scoring/2/").content.decode()


def test_a_change_voids_the_approval_and_the_page_offers_to_ask_again(
    author: User, draft: ScoringModel
) -> None:
    request_approval(model_id=draft.pk, revision=1, actor=author, now=NOW)
    approve(model_id=draft.pk, revision=1, actor=make_user(Role.MANAGER), now=NOW)
    client = client_of(author)
    assert "Publish now" in client.get("/scoring/2/").content.decode()

    answer = client.post(
        "/scoring/2/cell/", {"revision": 1, "cell": "C2"}, headers={"HX-Request": "true"}
    )

    page = answer.content.decode()
    assert "Request approval" in page
    assert 'hx-swap-oob="true"' in page


def test_a_discarded_draft_stays_in_the_history_and_is_restored(
    author: User, draft: ScoringModel
) -> None:
    client = client_of(author)
    said(client, "/scoring/2/draft/discard/", revision=1)
    draft.refresh_from_db()
    assert draft.state == ModelState.RETIRED
    assert "Discarded" in client.get("/scoring/1/").content.decode()

    assert said(client, "/scoring/2/restore/") == ["v3 is a draft of what v2 said."]
    assert client.get("/scoring/")["Location"] == "/scoring/3/"


def test_two_versions_are_compared_in_sentences(author: User, draft: ScoringModel) -> None:
    changed = with_cell(draft.definition, "C2")
    change_draft(model_id=draft.pk, revision=1, definition=changed, actor=author, now=NOW)
    client = client_of(author)

    by_default = client.get("/scoring/2/compare/").content.decode()
    same = client.get("/scoring/2/compare/?with=2").content.decode()

    assert "New cell C2" in by_default
    assert "Both sides sign" in by_default
    assert "They say the same." in same
    assert client.get("/scoring/2/compare/?with=x").status_code == 200


def test_a_draft_with_a_time_says_when_it_comes_into_force(
    author: User, draft: ScoringModel
) -> None:
    ScoringModel.objects.filter(pk=draft.pk).update(
        approved_by=make_user(Role.MANAGER), approved_at=NOW, approved_revision=1,
        publish_at=timezone.now() + timedelta(days=1), scheduled_by=author,
    )  # fmt: skip
    client = client_of(author)

    assert "Comes into force on" in client.get("/scoring/2/").content.decode()
    said(client, "/scoring/2/draft/unschedule/", revision=1)
    assert "Comes into force on" not in client.get("/scoring/2/").content.decode()
