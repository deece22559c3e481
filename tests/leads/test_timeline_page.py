"""The timeline on the page of a lead: its kinds, its words, and what is older."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.accounts.models import User
from engagement.enums import Actor
from leads import timeline_reading
from leads.models import Lead
from leads.services import add_note
from tests.leads.acting import view
from tests.leads.posting import HTMX

pytestmark = pytest.mark.django_db


def timeline(web: Client, lead: Lead, **query: str) -> Any:
    return web.get(reverse("leads:timeline", args=[lead.pk]), query, headers=HTMX)


def test_machine_events_are_grey_and_repeats_are_one_line(web: Client, lead: Lead) -> None:
    for minutes in (1, 2, 3):
        view(lead, minutes_ago=minutes, name="Pricing")
    view(lead, minutes_ago=4, name="Home", actor=Actor.MACHINE, actor_reason="Mail scanner")

    days = web.get(reverse("leads:detail", args=[lead.pk])).context["timeline"].days
    items = [item for day in days for item in day.items]

    kinds = {item.title: item.kind for item in items}
    assert kinds["Viewed Home"] == "machine"
    assert sum(1 for item in items if item.title.startswith("Viewed Pricing")) <= 2


def test_filters_show_one_kind_with_counts_when_everything_was_read(
    web: Client, lead: Lead, marketer: User
) -> None:
    view(lead, minutes_ago=5)
    add_note(lead_id=lead.pk, author=marketer, text="Called", now=timezone.now())

    answer = timeline(web, lead, kind="acts")
    found = answer.context["timeline"]

    assert [(each.kind, each.count) for each in found.filters] == [
        ("", 3),
        ("acts", 1),
        ("score", 0),
        ("sales", 2),
        ("machines", 0),
    ]
    assert len([item for day in found.days for item in day.items]) == 1
    assert b"<html" not in answer.content


@pytest.fixture
def long_history(lead: Lead, marketer: User) -> Lead:
    for number in range(130):
        view(lead, minutes_ago=number + 1, url=f"https://a.example/{number}")
    add_note(
        lead_id=lead.pk,
        author=marketer,
        text="The first call",
        now=timezone.now() - timedelta(minutes=200),
    )
    return lead


def titles(answer: Any) -> list[str]:
    return [item.title for day in answer.context["timeline"].days for item in day.items]


def test_older_entries_follow_without_holes_or_doubles(
    web: Client, long_history: Lead, marketer: User
) -> None:
    seen: list[str] = []
    query: dict[str, str] = {}
    while len(seen) < 1000:
        answer = timeline(web, long_history, **query)
        seen += titles(answer)
        older: datetime | None = answer.context["timeline"].older_before
        if older is None:
            break
        query = {"before": older.isoformat()}

    assert seen == [
        *(f"Viewed /{number}" for number in range(130)),
        f"Note by {marketer}",
        "Captured from Paid search",
    ]


def test_a_rare_kind_is_found_behind_many_others(web: Client, long_history: Lead) -> None:
    found = timeline(web, long_history, kind="sales")

    assert titles(found)[0].startswith("Note by")
    assert found.context["timeline"].filters[0].count is None


def test_words_are_sought_in_all_of_the_timeline(web: Client, long_history: Lead) -> None:
    found = timeline(web, long_history, q="FIRST call")
    assert [title.split(" by ")[0] for title in titles(found)] == ["Note"]
    assert found.context["timeline"].older_before is None

    assert titles(timeline(web, long_history, q="viewed /12")) == [
        f"Viewed /{number}" for number in (12, *range(120, 130))
    ]
    assert titles(timeline(web, long_history, q="viewed", kind="sales")) == []
    nothing = timeline(web, long_history, q="<zebra>").content.decode()
    assert "Nothing says “&lt;zebra&gt;”." in nothing
    assert titles(timeline(web, long_history, q="  ")) == titles(timeline(web, long_history))


def test_what_many_entries_say_is_shown_in_stretches(web: Client, long_history: Lead) -> None:
    seen: list[str] = []
    query = {"q": "viewed"}
    for _ in range(9):
        answer = timeline(web, long_history, **query)
        seen += titles(answer)
        older = answer.context["timeline"].older_before
        if older is None:
            break
        assert f"q=viewed&amp;before={quote(older.isoformat())}" in answer.content.decode()
        query["before"] = older.isoformat()

    assert seen == [f"Viewed /{number}" for number in range(130)]


def test_a_search_asks_before_it_goes_on_for_long(
    web: Client, long_history: Lead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline_reading, "_PIECE", 20)
    monkeypatch.setattr(timeline_reading, "_MOST_SEARCHED", 40)

    first = timeline(web, long_history, q="first call")
    assert titles(first) == []
    assert "Search older, back to" in first.content.decode()


def test_without_a_script_a_link_leads_to_older_entries(web: Client, long_history: Lead) -> None:
    first = web.get(reverse("leads:detail", args=[long_history.pk]))
    before = first.context["timeline"].older_before

    older = web.get(reverse("leads:detail", args=[long_history.pk]), {"before": before.isoformat()})

    assert "before=" in first.content.decode()
    assert titles(older)[0] == "Viewed /30"
    assert b"<html" in older.content


@pytest.mark.parametrize(
    "before",
    ["", "yesterday", "2026-05-12", "2026-05-12T09:00", "0001-01-01T00:00+00:00",
     "9999-12-31T23:59:59-23:59", "\x00", "2026-05-12T09:00+99:00"],
)  # fmt: skip
def test_a_moment_that_is_none_means_from_now(web: Client, lead: Lead, before: str) -> None:
    assert titles(timeline(web, lead, before=before)) == ["Captured from Paid search"]
