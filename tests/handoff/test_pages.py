"""The pages of handoffs over HTTP: what they show, how actions answer, what they refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from handoff.enums import HandoffState
from handoff.models import Handoff
from handoff.queue import due_today
from tests.factories import client_of, make_team, make_user
from tests.handoff.factories import (
    clock_of,
    holder_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
    zone_at_noon,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
ALWAYS = {
    "timezone": "Europe/Berlin",
    "weekly": {
        day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    },
}


@pytest.fixture
def rep() -> User:
    make_calendar(definition=ALWAYS)
    make_agreement()
    return make_rep(make_team(name="DACH"), time_zone=zone_at_noon())


@pytest.fixture
def web(rep: User) -> Client:
    return client_of(rep)


def _opened(rep: User, minutes_ago: int = 10, **fields: Any) -> Handoff:
    return make_handoff(rep=rep, now=timezone.now() - timedelta(minutes=minutes_ago), **fields)


def _page(web: Client, name: str, handoff: Handoff | None = None, **options: Any) -> str:
    answer = web.get(reverse(name, args=[handoff.pk] if handoff else []), **options)
    assert answer.status_code == 200
    return answer.content.decode()


def _post(web: Client, name: str, handoff: Handoff, data: dict[str, Any], **options: Any) -> Any:
    return web.post(reverse(name, args=[handoff.pk]), data, **options)


def test_the_queue_opens_its_first_row_with_the_only_primary_button(web: Client, rep: User) -> None:
    _opened(rep, 5, first_name="Sofie", phone="+46 8 465 004 31", country="SE")
    _opened(rep, 100, first_name="Bastien", phone="+33 1 99 00 41 27")

    page = _page(web, "handoff:queue")

    assert page.index("Bastien") < page.index("Sofie")
    assert page.count("btn-primary") == 1
    assert "Accept and call" in page
    assert 'href="tel:+33199004127"' in page
    with timezone.override(rep.time_zone):  # late in the evening less of it is due today
        left = due_today(rep, now=timezone.now())
    assert f"{left or 'Nothing'} left due today" in page


def test_an_empty_queue_says_so_and_offers_the_pool(web: Client, rep: User) -> None:
    rep.is_active = False
    rep.save(update_fields=["is_active"])
    _opened(rep)
    rep.is_active = True
    rep.save(update_fields=["is_active"])

    page = _page(web, "handoff:queue")

    assert "Nothing due" in page
    assert "1 lead waits in the pool" in page
    assert "Take from pool" in page


def test_accepting_answers_htmx_with_the_queue_and_the_number_to_dial(
    web: Client, rep: User
) -> None:
    handoff = _opened(rep, phone="+49 30 23125 418")

    answer = _post(web, "handoff:accept", handoff, {"call": "1"}, headers=HTMX)

    assert answer["HX-Retarget"] == "#queue"
    assert answer["HX-Trigger"] == '{"baton:dial": "+49 30 23125 418"}'
    assert 'id="queue"' in answer.content.decode()
    assert "<html" not in answer.content.decode()
    handoff.refresh_from_db()
    assert handoff.state == HandoffState.ACCEPTED


def test_without_scripts_accepting_leads_back_to_the_opened_row(web: Client, rep: User) -> None:
    handoff = _opened(rep)

    answer = _post(web, "handoff:accept", handoff, {})

    assert answer["Location"] == f"/queue/?open={handoff.pk}#handoff-{handoff.pk}"


def test_after_an_outcome_the_most_urgent_other_row_is_opened(web: Client, rep: User) -> None:
    first, second = _opened(rep, 100), _opened(rep, 50)

    answer = _post(web, "handoff:log", first, {"act": "CALL.NO_ANSWER"}, headers=HTMX)

    page = answer.content.decode()
    row = page.index(f'id="handoff-{second.pk}"')
    assert "is-open" in page[row - 60 : row]
    first.refresh_from_db()
    assert (first.attempts, first.state) == (1, HandoffState.WORKING)


def test_a_rejection_without_a_reason_is_asked_again_in_the_row(web: Client, rep: User) -> None:
    handoff = _opened(rep)

    form = _page(web, "handoff:reject", handoff, headers=HTMX)
    answer = _post(web, "handoff:reject", handoff, {"note": "Hm"}, headers=HTMX)

    assert "<html" not in form
    assert answer.status_code == 422
    assert "This field is required" in answer.content.decode()
    assert "Hm" in answer.content.decode()
    handoff.refresh_from_db()
    assert handoff.is_open


def test_a_rejection_with_a_reason_takes_the_row_away(web: Client, rep: User) -> None:
    handoff = _opened(rep)

    answer = _post(web, "handoff:reject", handoff, {"reason": "TOO_EARLY"})

    assert answer["Location"] == f"/queue/?answered={handoff.pk}"
    assert f'id="handoff-{handoff.pk}"' not in _page(web, "handoff:queue")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["handoff:reject", "handoff:bant"])
def test_what_was_answered_meanwhile_leads_back_and_says_so(
    web: Client, rep: User, name: str, method: str
) -> None:
    handoff = _opened(rep)
    _post(web, "handoff:reject", handoff, {"reason": "TOO_EARLY"})
    web.get(reverse("handoff:queue"))  # which shows the word on the rejection

    page = getattr(web, method)(reverse(name, args=[handoff.pk]), follow=True)

    assert page.redirect_chain == [(f"/queue/?answered={handoff.pk}", 302)]
    assert f"{handoff.lead.display_name} is answered already: rejected." in page.content.decode()


def test_a_stale_row_is_answered_with_the_queue_as_it_is(web: Client, rep: User) -> None:
    handoff = _opened(rep)
    _post(web, "handoff:reject", handoff, {"reason": "TOO_EARLY"})

    answer = _post(web, "handoff:accept", handoff, {}, headers=HTMX)

    assert answer["HX-Retarget"] == "#queue"
    assert "is answered already: rejected." in answer.content.decode()


@pytest.mark.parametrize("name", ["handoff:reject", "handoff:log", "handoff:bant"])
def test_browsers_keep_no_copy_of_a_form_that_can_be_answered_once(
    web: Client, rep: User, name: str
) -> None:
    answers = [web.get(reverse(name, args=[_opened(rep).pk])), web.get(reverse("handoff:queue"))]

    assert all("no-store" in answer["Cache-Control"] for answer in answers)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("handoff:accept", {}, "{} is accepted."),
        ("handoff:reject", {"reason": "TOO_EARLY"}, "{} is rejected: Too early."),
        ("handoff:log", {"act": "CALL.NO_ANSWER"}, "Logged for {}: call, no answer."),
    ],
)
def test_every_answer_is_confirmed_and_counted_in_the_side_bar(
    web: Client, rep: User, name: str, data: dict[str, str], said: str
) -> None:
    handoff, _other = _opened(rep, 20), _opened(rep, 10)

    page = _post(web, name, handoff, data, headers=HTMX).content.decode()

    with timezone.override(rep.time_zone):
        left = due_today(rep, now=timezone.now())
    assert said.format(handoff.lead.display_name) in page
    assert f'id="badge-my-queue" hx-swap-oob="true">{left or ""}</span>' in page


def test_a_page_says_each_message_once(web: Client, rep: User) -> None:
    _post(web, "handoff:accept", _opened(rep), {})

    page = _page(web, "handoff:queue")

    assert page.count("is accepted.") == 1
    assert page.count('id="badge-my-queue"') == 1


def test_evidence_from_the_future_is_refused_beside_its_field(web: Client, rep: User) -> None:
    handoff = _opened(rep)
    tomorrow = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")

    answer = _post(web, "handoff:log", handoff, {"act": "EMAIL.SENT", "occurred_at": tomorrow})

    assert answer.status_code == 422
    assert "This lies in the future" in answer.content.decode()
    handoff.refresh_from_db()
    assert handoff.attempts == 0


def test_the_minute_in_which_the_handoff_opened_is_not_before_it(web: Client, rep: User) -> None:
    handoff = _opened(rep)
    minute = timezone.localtime(handoff.opened_at, ZoneInfo(rep.time_zone))

    answer = _post(
        web,
        "handoff:log",
        handoff,
        {"act": "EMAIL.SENT", "occurred_at": minute.strftime("%Y-%m-%dT%H:%M")},
    )

    assert answer.status_code == 302
    assert handoff.touches.get().occurred_at == handoff.opened_at


@pytest.mark.parametrize("occurred_at", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_touch_at_the_ends_of_the_calendar_is_refused_at_its_field(
    web: Client, rep: User, occurred_at: str
) -> None:
    handoff = _opened(rep)

    for zone in ("America/New_York", "Asia/Tokyo"):
        rep.time_zone = zone
        rep.save(update_fields=["time_zone"])
        typed = {"act": "CALL.CONNECTED", "occurred_at": occurred_at}
        refused = _post(web, "handoff:log", handoff, typed)
        assert refused.status_code == 422
        assert list(refused.context["form"].errors) == ["occurred_at"]


def test_a_snooze_moves_the_row_to_those_waiting_or_says_what_is_wrong(
    web: Client, rep: User
) -> None:
    handoff = _opened(rep)
    past = {"until": "2020-01-01T10:00", "reason": "Demo"}
    friday = (timezone.now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")

    refused = _post(web, "handoff:snooze", handoff, past)
    rep.time_zone = "America/New_York"  # there, the last minute of 9999 lies beyond it
    rep.save(update_fields=["time_zone"])
    far = _post(web, "handoff:snooze", handoff, {**past, "until": "9999-12-31T23:59"})
    accepted = _post(web, "handoff:snooze", handoff, {"until": friday, "reason": "Demo"})

    for answer in (refused, far):
        assert answer.status_code == 422
        assert "Give a time between now and two years from now." in answer.content.decode()
    assert accepted.status_code == 302
    handoff.refresh_from_db()
    assert handoff.snooze_reason == "Demo"


def test_an_address_to_go_back_to_is_only_ever_ours(web: Client, rep: User) -> None:
    first, second = _opened(rep), _opened(rep)

    ours = _post(web, "handoff:accept", first, {"back": f"/leads/{first.lead_id}/"})
    theirs = _post(web, "handoff:accept", second, {"back": "https://evil.example/"})

    assert ours["Location"] == f"/leads/{first.lead_id}/"
    assert theirs["Location"].startswith("/queue/")


@pytest.mark.parametrize(
    "back", ["%2f%2fevil.example", "//evil.example", "/\\evil.example", "leads/", "?open=1"]
)
def test_going_back_takes_a_whole_path(web: Client, rep: User, back: str) -> None:
    handoff = _opened(rep)

    answer = _post(web, "handoff:accept", handoff, {"back": back})

    assert answer["Location"].startswith("/queue/")


def test_taking_from_the_pool_opens_what_was_taken(web: Client, rep: User) -> None:
    rep.is_active = False
    rep.save(update_fields=["is_active"])
    handoff = _opened(rep)
    rep.is_active = True
    rep.save(update_fields=["is_active"])

    listed = _page(web, "handoff:pool")
    answer = web.post(reverse("handoff:take"))

    assert handoff.lead.display_name in listed
    assert answer["Location"] == f"/queue/?open={handoff.pk}"
    assert holder_of(handoff) == rep


def test_the_handoff_page_shows_the_arithmetic_of_each_deadline(web: Client, rep: User) -> None:
    handoff = _opened(rep, 10)

    page = _page(web, "handoff:handoff", handoff)

    accept = timezone.localtime(clock_of(handoff, "ACCEPT").due_at, ZoneInfo(rep.time_zone))
    assert f"{accept:%H:%M}" in page
    assert "2 h of working time" in page
    assert "Next in turn" in page
    assert "Agreement v1, tier Everything else" in page


def test_managers_see_all_open_handoffs_and_give_them_to_somebody_else(rep: User) -> None:
    handoff = _opened(rep)
    to = make_rep(make_team(), full_name="Karel Janda")
    web = client_of(make_user(Role.MANAGER))

    listed = _page(web, "handoff:team")
    form = _page(web, "handoff:reassign", handoff)
    answer = _post(web, "handoff:reassign", handoff, {"to": to.pk, "reason": "Away"})

    assert handoff.lead.display_name in listed
    assert rep.full_name in listed
    assert "Karel Janda" in form
    assert answer["Location"] == f"/handoffs/{handoff.pk}/"
    assert holder_of(handoff) == to


def test_the_team_queue_costs_the_same_however_many_rows_there_are(rep: User) -> None:
    manager = client_of(make_user(Role.MANAGER))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            _page(manager, "handoff:team")
        return len(captured)

    _opened(rep)
    one = queries()
    for _ in range(2):
        _opened(rep)

    assert queries() == one


def test_the_team_queue_is_cut_into_pages_and_by_team(rep: User) -> None:
    other = make_team()
    handoff = _opened(rep)
    web = client_of(make_user(Role.MANAGER))

    own = web.get(reverse("handoff:team"), {"team": str(handoff.team_id)}).content.decode()
    foreign = web.get(reverse("handoff:team"), {"team": str(other.pk)}).content.decode()
    odd = web.get(reverse("handoff:team"), {"team": "x' OR 1=1", "cursor": "?"})

    assert handoff.lead.display_name in own
    assert "Nothing is open here" in foreign
    assert odd.status_code == 200
