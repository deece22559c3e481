"""The page of releases: who waits, what is ordered, what became of it, and the re-score."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crm.accounts.enums import Role
from scoring.models import RaisedHand, ReleasePlan, ReleaseWave, ScoringModel, WaveLead
from scoring.services import mark_due, release_waves
from tests.factories import NOW, client_of, make_lead, make_user
from tests.scoring.logs import force_model
from tests.scoring.test_releasing import DAY, PUBLISHED_AT, widened

pytestmark = pytest.mark.django_db

RELEASES = "/scoring/releases/"


def page(web: Client) -> str:
    answer = web.get(RELEASES)
    assert answer.status_code == 200
    return answer.content.decode()


def desk() -> Client:
    return client_of(make_user(Role.MARKETER))


def test_the_page_lists_who_waits_and_the_file_has_the_same_rows() -> None:
    leads, web = widened(3), desk()
    shown, file = page(web), web.get(reverse("scoring:releases_export"))
    lines = b"".join(file.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert "v2, 3 waiting" in shown
    assert all(f'href="/leads/{lead.pk}/"' in shown for lead in leads)
    best_first = [leads[place].email for place in (1, 2, 0)]
    assert [line.split(",")[0] for line in lines[1:]] == best_first


def test_who_waits_for_an_act_stands_there_with_it() -> None:
    force_model(now=NOW)
    lead = make_lead(created_at=NOW - DAY)
    mark_due(lead_ids=[lead.pk], now=NOW - DAY)
    RaisedHand.objects.create(
        lead=lead, kind="DEMO_REQUEST", counts_until=timezone.now() + timedelta(days=1)
    )
    web = desk()
    file = web.get(reverse("scoring:releases_export"))
    assert "Asked for a demo" in page(web)
    assert "None" not in page(web)
    assert b"Asked for a demo" in b"".join(file.streaming_content)  # type: ignore[attr-defined]


def test_with_nobody_waiting_the_page_says_what_would_wait() -> None:
    force_model(now=NOW)
    assert "Nobody waits to be released" in page(desk())


def test_a_form_sent_twice_orders_one_wave() -> None:
    widened(3)
    web, order = desk(), {"count": "1", "form_token": "abc"}
    for _ in range(2):
        assert web.post(reverse("scoring:release"), order).status_code == 302
    assert ReleaseWave.objects.count() == 1
    release_waves(now=PUBLISHED_AT)
    assert "1 of 1 released" in page(web)


def test_ticked_leads_are_released_and_those_left_out_are_named() -> None:
    lead, other, _ = widened(3)
    web = desk()
    ticked = {"chosen": "1", "count": "50", "leads": [lead.pk, other.pk]}
    web.post(reverse("scoring:release"), ticked)
    type(lead).objects.filter(pk=other.pk).update(country="US")
    release_waves(now=PUBLISHED_AT)
    shown = page(web)
    assert "1 of 2 released" in shown
    assert f'<a href="/leads/{other.pk}/">{other.display_name}</a> no longer meets' in shown
    assert "no longer meets the definition: C4" in shown


def test_of_many_who_were_left_out_twenty_are_named() -> None:
    leads, web = widened(23), desk()
    web.post(reverse("scoring:release"), {"chosen": "1", "leads": [lead.pk for lead in leads]})
    WaveLead.objects.update(left_out="was moved")
    shown = page(web)
    assert ("23 left out" in shown, shown.count("was moved"), "and 3 more" in shown) == (
        True, 20, True
    )  # fmt: skip


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "Say how many leads to release."),
        ({"count": "0"}, "greater than or equal to 1"),
        ({"count": "x"}, "Enter a whole number"),
        ({"chosen": "1"}, "Tick the leads to release."),
        ({"chosen": "1", "leads": "7 or 1=1"}, "not a valid value"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_in_words(data: dict[str, str], said: str) -> None:
    widened(1)
    answer = desk().post(reverse("scoring:release"), data)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ReleaseWave.objects.exists()


def test_a_rate_is_started_and_stopped() -> None:
    widened(1)
    web, address = desk(), reverse("scoring:release_rate")
    assert web.post(address, {"per_day": "0"}).status_code == 422
    web.post(address, {"per_day": "7"})
    assert "7 a working day" in page(web)
    web.post(address, {"stop": "1"})
    assert ReleasePlan.objects.filter(stopped_at__isnull=True).count() == 0
    assert "Or by a rate" in page(web)


def test_a_rate_that_is_sent_twice_is_started_once() -> None:
    widened(1)
    web, rate = desk(), {"per_day": "5", "form_token": "abc"}
    for _ in range(2):
        web.post(reverse("scoring:release_rate"), rate)
    assert ReleasePlan.objects.count() == 1
    assert page(web).count('name="form_token"') == 2


def test_a_manager_reads_and_does_not_release() -> None:
    widened(1)
    web = client_of(make_user(Role.MANAGER))
    assert "Release to sales" not in page(web)
    assert web.post(reverse("scoring:release"), {"count": "1"}).status_code == 404


def test_the_page_costs_the_same_with_one_and_three_rows(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    widened(3)
    web = desk()
    page(web)
    with django_assert_num_queries(15):
        page(web)
    web.post(reverse("scoring:release"), {"count": "2"})
    with django_assert_num_queries(17):
        page(web)


def test_the_renewal_tells_how_far_it_is_until_it_is_done() -> None:
    leads, web = widened(3), desk()
    address = reverse("scoring:rescore_progress")
    ScoringModel.objects.filter(state="PUBLISHED").update(rescored_up_to=leads[1].pk)
    running = web.get(address).content.decode()
    assert "2 of 3 leads re-scored under v2" in running
    assert "every 3s" in running
    assert "2 of 3 leads re-scored" in page(web)
    ScoringModel.objects.filter(state="PUBLISHED").update(rescored_up_to=None)
    done = web.get(address).content.decode()
    assert "All leads are re-scored." in done
    assert "hx-trigger" not in done
    assert "re-scored" not in page(web)
