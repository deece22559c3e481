"""Queue and BANT form in a real browser: keys, autosave, conditional fields, accessible, narrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.accounts.models import User
from handoff.enums import HandoffState
from handoff.models import BantAssessment, Handoff, Touch
from tests.e2e.looks import violations
from tests.factories import client_of, make_team
from tests.handoff.factories import (
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
    zone_at_noon,
)
from tests.handoff.test_pages import ALWAYS

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

NARROW = {"width": 360, "height": 740}


@pytest.fixture
def rep(transactional_db: None) -> User:
    make_calendar(definition=ALWAYS)
    make_agreement()
    return make_rep(make_team(name="DACH"), time_zone=zone_at_noon())


@pytest.fixture
def handoffs(rep: User) -> list[Handoff]:
    """Open three, the most urgent first."""
    now = timezone.now()
    return [
        make_handoff(
            rep=rep,
            now=now - timedelta(minutes=minutes),
            first_name=name,
            phone="+49 30 23125 418",
            country="DE",
        )
        for minutes, name in ((150, "Bastien"), (100, "Sofie"), (20, "Ines"))
    ]


@pytest.fixture
def desk(page: Page, base_url: str, rep: User, handoffs: list[Handoff]) -> Iterator[Page]:
    """Log the rep in; a script that fails or breaks the policy fails the test."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client_of(rep).cookies[settings.SESSION_COOKIE_NAME].value,
        "domain": urlsplit(base_url).hostname or "",
        "path": "/",
    }
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.emulate_media(reduced_motion="reduce")
    page.goto(reverse("handoff:queue"))
    yield page
    assert complaints == []


def _opened(page: Page, name: str) -> None:
    expect(page.locator(".queue-row.is-open .row-name")).to_contain_text(name)


def test_keys_open_rows_and_an_outcome_opens_the_most_urgent(desk: Page) -> None:
    _opened(desk, "Bastien")

    desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    _opened(desk, "Sofie")
    desk.keyboard.press("l")
    expect(desk.get_by_role("button", name="Connected")).to_be_focused()
    desk.get_by_role("button", name="No answer").click()

    _opened(desk, "Bastien")
    expect(desk.locator(".queue-row.is-open .row-name")).to_be_focused()
    expect(desk.locator(".queue-row", has_text="Sofie")).to_contain_text("1 of 6")


def test_two_keys_log_a_call_of_the_opened_row_and_of_one_below(
    desk: Page, handoffs: list[Handoff]
) -> None:
    desk.keyboard.press("l")
    desk.keyboard.press("n")
    expect(desk.locator("[data-toast]").last).to_contain_text("call, no answer")
    _opened(desk, "Sofie")  # which takes the focus

    desk.locator(f"#open-{handoffs[2].pk}").focus()
    desk.keyboard.press("l")
    expect(desk.get_by_role("button", name="Connected")).to_be_focused()
    desk.wait_for_timeout(1100)  # the group keeps waiting for the second key
    desk.keyboard.press("m")
    expect(desk.locator("[data-toast]").last).to_contain_text("call, left message")

    said = {each.handoff_id: each.outcome for each in Touch.objects.all()}
    assert said == {handoffs[0].pk: "NO_ANSWER", handoffs[2].pk: "LEFT_MESSAGE"}


def test_keys_act_on_the_row_with_the_focus_and_not_on_the_opened_one(
    desk: Page, handoffs: list[Handoff]
) -> None:
    desk.keyboard.press("j")
    desk.keyboard.press("l")
    _opened(desk, "Sofie")
    expect(
        desk.locator(".queue-row.is-open").get_by_role("button", name="Connected")
    ).to_be_focused()

    desk.keyboard.press("j")
    desk.keyboard.press("b")
    expect(desk).to_have_url(re.compile(reverse("handoff:bant", args=[handoffs[2].pk])))


def test_one_key_accepts_and_enter_on_the_opened_row_leads_to_its_lead(
    desk: Page, handoffs: list[Handoff]
) -> None:
    desk.keyboard.press("j")
    desk.keyboard.press("a")
    _opened(desk, "Sofie")
    expect(desk.locator(".queue-row.is-open").get_by_role("link", name="Call +49")).to_be_visible()

    desk.keyboard.press("a")  # accepted already: the key is not passed on to another row
    desk.keyboard.press("Enter")
    expect(desk).to_have_url(re.compile(reverse("leads:detail", args=[handoffs[1].lead_id])))
    assert [Handoff.objects.get(pk=each.pk).state for each in handoffs] == [
        HandoffState.OFFERED,
        HandoffState.ACCEPTED,
        HandoffState.OFFERED,
    ]


def test_a_rejection_is_given_within_the_row(desk: Page) -> None:
    desk.get_by_role("link", name="Reject…").click()
    desk.get_by_role("button", name="Reject", exact=True).click()
    expect(desk.get_by_text("Why do you reject this lead?")).to_be_visible()
    desk.get_by_label("Too early").check()
    desk.get_by_role("button", name="Reject", exact=True).click()

    _opened(desk, "Sofie")
    expect(desk.locator(".queue-row")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_queue_is_accessible_and_fits_a_narrow_phone(desk: Page, scheme: Any) -> None:
    desk.emulate_media(color_scheme=scheme)

    assert violations(desk) == []
    desk.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert desk.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert violations(desk) == []


def test_a_change_saves_itself_and_the_proposal_follows(
    desk: Page, handoffs: list[Handoff]
) -> None:
    desk.keyboard.press("b")
    for question in ("Budget", "Authority", "Need", "Timeline"):
        desk.get_by_role("group", name=question).get_by_text("Yes").click()

    expect(desk.locator("#proposal")).to_contain_text("Baton proposes SQL")
    expect(desk.locator("[data-save-text]")).to_contain_text("Saved")
    assert BantAssessment.objects.get(handoff=handoffs[0]).answers["timeline"] == "YES"


def test_a_question_is_marked_as_it_is_ticked(desk: Page, handoffs: list[Handoff]) -> None:
    desk.goto(reverse("handoff:bant", args=[handoffs[0].pk]))
    marks = desk.get_by_role("group", name="Budget").locator(".answer-now > svg")
    expect(marks.nth(3)).to_be_visible()

    desk.get_by_role("group", name="Budget").get_by_text("Yes").click()

    expect(marks.nth(0)).to_be_visible()
    expect(marks.nth(3)).to_be_hidden()


def test_a_verdict_shows_what_belongs_to_it_and_names_what_is_missing(
    desk: Page, handoffs: list[Handoff]
) -> None:
    desk.goto(reverse("handoff:bant", args=[handoffs[0].pk]))
    expect(desk.get_by_label("Next step", exact=True)).to_be_hidden()

    desk.get_by_label("Recycle").check()
    expect(desk.get_by_label("Wake up on")).to_be_visible()
    expect(desk.get_by_label("Why not as proposed")).to_be_hidden()
    desk.get_by_label("SQL").check()
    expect(desk.get_by_label("Why not as proposed")).to_be_visible()
    with desk.expect_response(lambda answer: answer.status == 422):
        desk.get_by_role("button", name="Record SQL and next step").click()

    expect(desk.get_by_role("alert")).to_contain_text("SQL needs a next step.")
    expect(desk.get_by_label("Next step", exact=True)).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_is_accessible_and_fits_a_narrow_phone(
    desk: Page, handoffs: list[Handoff], scheme: Any
) -> None:
    desk.emulate_media(color_scheme=scheme)
    desk.goto(reverse("handoff:bant", args=[handoffs[0].pk]))

    assert violations(desk) == []
    desk.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert desk.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert violations(desk) == []


def test_back_does_not_show_a_form_that_was_recorded(desk: Page, handoffs: list[Handoff]) -> None:
    desk.goto(reverse("handoff:bant", args=[handoffs[0].pk]))
    for question in ("Budget", "Authority", "Need", "Timeline"):
        desk.get_by_role("group", name=question).get_by_text("Yes").click()
    desk.get_by_label("SQL").check()
    desk.get_by_label("Next step", exact=True).fill("Demo")
    tomorrow = timezone.now() + timedelta(days=1)
    desk.locator("[name=next_step_at]").fill(f"{tomorrow:%Y-%m-%dT%H:%M}")
    desk.get_by_role("button", name="Record SQL and next step").click()
    _opened(desk, "Sofie")

    desk.go_back()

    expect(desk.locator("[data-toast]")).to_contain_text("answered already: qualified")
    expect(desk.locator(".queue-row")).to_have_count(2)


def test_an_answer_is_confirmed_and_the_side_bar_counts_it(desk: Page) -> None:
    badge = desk.locator("#badge-my-queue")
    expect(badge).to_have_text("3")

    desk.get_by_role("button", name="Wrong number").click()

    expect(desk.locator("[data-toast]")).to_contain_text("call, wrong number")
    left = desk.locator("#queue h2").first.inner_text().split()[0]
    expect(badge).to_have_text("" if left == "Nothing" else left)
