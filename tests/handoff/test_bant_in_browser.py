"""The form after the call in a real browser: by the keyboard alone, and nothing that is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.accounts.models import User
from handoff.models import BantAssessment, Handoff
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import change_stage
from tests.factories import PASSWORD, client_of, make_team
from tests.handoff.factories import make_agreement, make_calendar, make_handoff, make_rep
from tests.handoff.test_pages import ALWAYS

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rep(transactional_db: None) -> User:
    make_calendar(definition=ALWAYS)
    make_agreement()
    return make_rep(make_team(), time_zone="Europe/Berlin", password=PASSWORD)


@pytest.fixture
def handoff(rep: User) -> Handoff:
    return make_handoff(rep=rep, now=timezone.now() - timedelta(minutes=20))


@pytest.fixture
def form(page: Page, base_url: str, rep: User, handoff: Handoff) -> Iterator[Page]:
    """Open the form as its rep; a script that fails fails the test."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client_of(rep).cookies[settings.SESSION_COOKIE_NAME].value,
        "domain": urlsplit(base_url).hostname or "",
        "path": "/",
    }
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.goto(reverse("handoff:bant", args=[handoff.pk]))
    yield page
    assert complaints == []


def _saved(page: Page) -> None:
    expect(page.locator("[data-save-text]")).to_contain_text("Saved")


def _kept(handoff: Handoff) -> dict[str, str]:
    return BantAssessment.objects.get(handoff=handoff).values


def test_the_form_is_filled_and_recorded_by_the_keyboard_alone(
    form: Page, handoff: Handoff
) -> None:
    keys = form.keyboard
    for _ in range(4):
        keys.press("1")
        keys.press("Tab")
        keys.type("Said so")
        keys.press("Tab")
        keys.press("Tab")
    keys.press("Space")  # the first verdict is SQL
    keys.press("Tab")
    expect(form.get_by_label("Next step", exact=True)).to_be_focused()
    keys.type("Demo")
    form.locator("[name=next_step_at]").focus()
    tomorrow = timezone.now() + timedelta(days=1)
    keys.type(f"{tomorrow:%m%d%Y}")
    keys.press("Tab")
    keys.type("1000AM")
    keys.press("Control+Enter")

    expect(form).to_have_url(re.compile("/queue/"))
    kept = _kept(handoff)
    assert [kept[name] for name in ("budget", "authority", "need", "timeline")] == ["YES"] * 4
    assert kept["timeline_detail"] == "Said so"
    lead = Lead.objects.get(pk=handoff.lead_id)
    assert (lead.stage, lead.next_step) == (LifecycleStage.SQL, "Demo")
    assert form.evaluate("localStorage.length") == 0


def test_what_was_typed_when_the_tab_was_killed_is_there_again(
    form: Page, handoff: Handoff
) -> None:
    form.locator("[name=need_note]").type("Stops on line 2")
    form.close()  # before the save was due
    assert _kept(handoff)["need_note"] == ""

    again = form.context.new_page()
    again.goto(reverse("handoff:bant", args=[handoff.pk]))

    expect(again.locator("[name=need_note]")).to_have_value("Stops on line 2")
    _saved(again)
    assert _kept(handoff)["need_note"] == "Stops on line 2"
    assert again.evaluate("localStorage.length") == 0


def test_what_is_typed_after_the_session_ended_is_there_after_the_login(
    form: Page, handoff: Handoff, rep: User
) -> None:
    Session.objects.all().delete()
    form.get_by_role("group", name="Budget").get_by_text("Yes").click()
    form.locator("[name=budget_note]").type("Capex line approved")

    form.wait_for_url(lambda url: "/login/" in url)
    form.fill("[name=login]", rep.email)
    form.fill("[name=password]", PASSWORD)
    form.keyboard.press("Enter")

    expect(form).to_have_url(re.compile(reverse("handoff:bant", args=[handoff.pk])))
    expect(form.locator("[name=budget_note]")).to_have_value("Capex line approved")
    _saved(form)
    assert (_kept(handoff)["budget"], _kept(handoff)["budget_note"]) == (
        "YES",
        "Capex line approved",
    )


def test_recording_after_the_session_ended_loses_nothing(
    form: Page, handoff: Handoff, rep: User
) -> None:
    form.locator("[name=need_note]").type("Stops on line 2")
    Session.objects.all().delete()
    form.keyboard.press("Control+Enter")  # before the save was due

    form.wait_for_url(lambda url: "/login/" in url)
    form.fill("[name=login]", rep.email)
    form.fill("[name=password]", PASSWORD)
    form.keyboard.press("Enter")

    expect(form.locator("[name=need_note]")).to_have_value("Stops on line 2")
    _saved(form)
    assert _kept(handoff)["need_note"] == "Stops on line 2"


def test_two_people_who_write_different_answers_keep_both(form: Page, handoff: Handoff) -> None:
    other = form.context.new_page()
    other.goto(reverse("handoff:bant", args=[handoff.pk]))
    other.locator("[name=budget_note]").fill("Approved")
    _saved(other)

    form.locator("[name=need_note]").fill("Stops")
    _saved(form)

    assert (_kept(handoff)["budget_note"], _kept(handoff)["need_note"]) == ("Approved", "Stops")


def test_what_somebody_else_wrote_does_not_stay_on_a_shared_computer(
    form: Page, rep: User, handoff: Handoff
) -> None:
    mine, theirs = (f"baton:draft:bant-{handoff.pk}-{pk}" for pk in (rep.pk, rep.pk + 1))
    form.evaluate(
        "(keys) => keys.forEach((key) => localStorage.setItem(key, '[]'))", [mine, theirs]
    )

    form.goto(reverse("handoff:queue"))

    form.wait_for_load_state("load")
    assert form.evaluate("Object.keys(localStorage)") == [mine]


def test_a_handoff_that_is_closed_meanwhile_leaves_no_draft_behind(
    form: Page, handoff: Handoff
) -> None:
    change_stage(
        lead_id=handoff.lead_id, to_stage=LifecycleStage.DISQUALIFIED, now=timezone.now(), rule="x"
    )

    form.locator("[name=need_note]").fill("Stops on line 2")
    form.locator("[name=need_note]").blur()

    expect(form.locator("[data-save-text]")).to_have_text("Not saved: this form is closed")
    assert form.evaluate("localStorage.length") == 0
