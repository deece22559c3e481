"""The BANT form: saves itself, loses nothing, says what is missing, is recorded once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.accounts.models import User
from handoff.answer_lines import blank_lines
from handoff.enums import BantAnswer, HandoffState
from handoff.frameworks import DEFAULT_QUALIFICATION
from handoff.models import BantAssessment, Handoff
from handoff.prefill import Told
from leads.enums import LifecycleStage
from tests.factories import client_of, make_team
from tests.handoff.factories import make_calendar, make_handoff, make_rep

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
FOUR_YES = dict.fromkeys(("budget", "authority", "need", "timeline"), "YES")


@pytest.fixture
def rep() -> User:
    make_calendar()
    return make_rep(make_team(), time_zone="Europe/Berlin")


@pytest.fixture
def handoff(rep: User) -> Handoff:
    return make_handoff(rep=rep, now=timezone.now() - timedelta(minutes=20))


@pytest.fixture
def web(rep: User) -> Client:
    return client_of(rep)


def _save(web: Client, handoff: Handoff, **fields: str) -> Any:
    return web.post(reverse("handoff:bant_save", args=[handoff.pk]), fields, headers=HTMX)


def _submit(web: Client, handoff: Handoff, **fields: str) -> Any:
    return web.post(reverse("handoff:bant", args=[handoff.pk]), fields)


def _bant(handoff: Handoff) -> BantAssessment:
    return BantAssessment.objects.get(handoff=handoff)


def _in_days(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def test_the_form_has_four_equal_questions_of_native_radios(web: Client, handoff: Handoff) -> None:
    page = web.get(reverse("handoff:bant", args=[handoff.pk])).content.decode()

    for question in FOUR_YES:
        assert page.count(f'type="radio" name="{question}"') == 4
        assert f'name="{question}_detail"' in page
        assert f'name="{question}_note"' in page
    assert "Handoff brief" in page


def test_a_change_is_saved_and_answered_with_the_new_proposal(
    web: Client, handoff: Handoff
) -> None:
    answer = _save(web, handoff, **FOUR_YES, need_note="Stops on line 2")

    assert "Baton proposes SQL" in answer.content.decode()
    assert 'hx-swap-oob="true"' in answer.content.decode()
    kept = _bant(handoff).values
    assert (kept["budget"], kept["need_note"]) == ("YES", "Stops on line 2")


def test_a_field_that_cannot_be_read_does_not_keep_the_others_from_being_saved(
    web: Client, handoff: Handoff
) -> None:
    answer = _save(web, handoff, budget="YES", wake_date="31 Feb", authority="PERHAPS")

    assert answer.status_code == 200
    bant = _bant(handoff)
    assert (bant.answers["budget"], bant.wake_date) == ("YES", None)
    assert bant.answers["authority"] == "NOT_ASKED"


@pytest.mark.parametrize(
    ("zone", "dates"),
    [
        ("Europe/Berlin", {"next_step_at": "0001-01-01T00:00"}),
        ("America/New_York", {"next_step_at": "9999-12-31T23:59"}),
        ("Europe/Berlin", {"wake_date": "0001-01-01"}),
        ("Europe/Berlin", {"wake_date": "9999-12-31"}),
    ],
)
def test_a_draft_keeps_no_date_that_could_not_be_shown(
    web: Client, handoff: Handoff, rep: User, zone: str, dates: dict[str, str]
) -> None:
    rep.time_zone = zone
    rep.save(update_fields=["time_zone"])

    _save(web, handoff, budget="YES", **dates)

    bant = _bant(handoff)
    assert (bant.answers["budget"], bant.next_step_at, bant.wake_date) == ("YES", None, None)
    assert web.get("/queue/").status_code == 200


def test_a_next_step_in_the_year_9999_is_refused_at_its_field(
    web: Client, handoff: Handoff, rep: User
) -> None:
    rep.time_zone = "America/New_York"
    rep.save(update_fields=["time_zone"])

    answer = _submit(
        web, handoff, **FOUR_YES, verdict="SQL", next_step="Demo", next_step_at="9999-12-31T23:59"
    )

    assert answer.status_code == 422
    assert "Give a time between" in answer.content.decode()
    assert web.get(handoff.get_absolute_url()).status_code == 200


def test_an_incomplete_verdict_comes_back_with_everything_that_was_typed(
    web: Client, handoff: Handoff
) -> None:
    answer = _submit(web, handoff, **FOUR_YES, verdict="SQL", need_note="Stops on line 2")

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "SQL needs a next step." in page
    assert 'href="#id_next_step"' in page
    assert "Stops on line 2" in page
    assert page.count("autofocus") == 1
    handoff.refresh_from_db()
    assert handoff.is_open


def test_one_submit_records_answers_verdict_and_next_step(web: Client, handoff: Handoff) -> None:
    answer = _submit(
        web, handoff, **FOUR_YES, verdict="SQL", next_step="Demo", next_step_at=_in_days(7)
    )

    handoff.refresh_from_db()
    handoff.lead.refresh_from_db()
    assert answer["Location"] == f"/queue/?answered={handoff.pk}"
    assert handoff.state == HandoffState.QUALIFIED
    assert (handoff.lead.stage, handoff.lead.next_step) == (LifecycleStage.SQL, "Demo")


def test_another_verdict_than_proposed_is_refused_without_a_reason(
    web: Client, handoff: Handoff
) -> None:
    fields = {"verdict": "DISQUALIFY", "disqualify_reason": "NO_NEED"}

    refused = _submit(web, handoff, **FOUR_YES, **fields)
    recorded = _submit(web, handoff, **FOUR_YES, **fields, override_reason="A rival asked")

    assert "the policy proposes SQL, you chose Disqualify" in refused.content.decode()
    assert recorded.status_code == 302


def test_recycle_can_be_asked_for_by_address(web: Client, handoff: Handoff) -> None:
    url = reverse("handoff:bant", args=[handoff.pk])

    page = web.get(url, {"verdict": "RECYCLE"}).content.decode()
    odd = web.get(url, {"verdict": "<script>"}).content.decode()

    assert 'value="RECYCLE" class="form-check-input" id="id_verdict_1" checked' in page
    assert "<script>" not in odd.replace("<script src", "").replace('<script type="module"', "")


def test_prefilled_answers_name_their_source_until_they_are_changed(
    web: Client, handoff: Handoff
) -> None:
    told = [Told("budget", BantAnswer.YES, "40,000", "Trial form, 11 May")]
    lines = blank_lines(DEFAULT_QUALIFICATION, told)
    BantAssessment.objects.filter(handoff=handoff).update(lines=lines)
    url = reverse("handoff:bant", args=[handoff.pk])

    before = web.get(url).content.decode()
    _save(web, handoff, budget="YES", budget_detail="60,000")
    after = web.get(url).content.decode()

    assert "From trial form, 11 May" in before
    assert "From trial form, 11 May" not in after
    assert "From the call" in after


def test_a_recorded_form_takes_no_draft_any_more(web: Client, handoff: Handoff) -> None:
    _submit(web, handoff, need="NO", verdict="DISQUALIFY", disqualify_reason="NO_NEED")

    assert _save(web, handoff, need="YES").status_code == 404
    assert _bant(handoff).answers["need"] == "NO"


def test_a_request_without_any_field_breaks_nothing(web: Client, handoff: Handoff) -> None:
    assert _save(web, handoff).status_code == 200
    assert _submit(web, handoff).status_code == 422
