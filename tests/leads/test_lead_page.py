"""The lead page: who sees what of a lead, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.slots import Panel, lead_panels
from engagement.enums import Actor, EventKind
from engagement.services import record_event
from leads import timeline_reading
from leads.enums import AttributeType, LifecycleStage
from leads.models import Company, Lead, LeadAttribute
from leads.services import add_note, change_stage, create_lead, update_lead
from tests.factories import client_of, make_lead, make_user
from tests.leads.posting import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> Lead:
    return create_lead(
        now=timezone.now(),
        created_at=timezone.now() - timedelta(days=30),
        first_name="Ines",
        last_name="Kallweit",
        email="i.kallweit@kesterwald.example",
        phone="030 23125 418",
        title="Head of maintenance",
        company_name="Kesterwald Pumpen",
        country="DE",
        city="Esslingen",
        source="Paid Search",
        campaign="Downtime spring",
    )


def page(web: Client, lead: Lead, query: str = "") -> str:
    answer = web.get(reverse("leads:detail", args=[lead.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def timeline(web: Client, lead: Lead, **query: str) -> Any:
    return web.get(reverse("leads:timeline", args=[lead.pk]), query, headers=HTMX)


def view(lead: Lead, *, minutes_ago: int, **details: Any) -> None:
    now = timezone.now()
    record_event(
        lead_id=lead.pk,
        kind=EventKind.PAGE_VIEW,
        occurred_at=now - timedelta(minutes=minutes_ago),
        now=now,
        **details,
    )


def test_the_page_says_who_it_is_and_where_they_came_from(web: Client, lead: Lead) -> None:
    shown = page(web, lead)

    for words in (
        "Ines Kallweit",
        "<bdi>Head of maintenance</bdi>, <bdi>Kesterwald Pumpen</bdi>",
        'href="tel:+493023125418"',
        'href="mailto:i.kallweit@kesterwald.example"',
        "Esslingen, Germany",
        "Paid search",
        "Downtime spring",
        "Captured from Paid search",
    ):
        assert words in shown


def test_custom_attributes_are_shown_by_their_labels_and_types(web: Client) -> None:
    for name, label, kind in (
        ("shifts", "Shifts", AttributeType.NUMBER),
        ("certified", "ISO certified", AttributeType.BOOLEAN),
        ("renewal", "Renewal", AttributeType.DATE),
    ):
        LeadAttribute.objects.create(name=name, label=label, type=kind)
    lead = create_lead(
        now=timezone.now(),
        last_name="Kallweit",
        attributes={"shifts": "1250", "certified": "no", "renewal": "2026-05-31"},
    )

    facts = web.get(reverse("leads:detail", args=[lead.pk])).context["attributes"]

    assert [(fact.label, fact.value) for fact in facts] == [
        ("ISO certified", "No"),
        ("Renewal", "31 May 2026"),
        ("Shifts", "1,250"),
    ]


def test_figures_of_the_company_are_told_apart_from_those_of_the_lead(web: Client) -> None:
    LeadAttribute.objects.create(name="employees", label="Staff", type=AttributeType.NUMBER)
    company = Company.objects.create(
        name="Kesterwald Pumpen", employees=75, industry="Metal", created_at=timezone.now()
    )
    lead = make_lead(company=company, attributes={"employees": 300})

    shown = page(web, lead)

    assert "Company record: 75 staff, Metal" in shown
    assert "<dt>Staff</dt><dd>300<" in shown.replace("\n", "")


def test_what_a_stranger_typed_is_shown_as_text(web: Client) -> None:
    lead = create_lead(now=timezone.now(), last_name="<script>alert(1)</script>")

    assert "<script>alert(1)" not in page(web, lead)


def test_a_rep_sees_their_leads_and_those_of_their_pool_alone(lead: Lead) -> None:
    rep = make_user(Role.REP)
    mine = make_lead(owner=rep)

    assert client_of(rep).get(reverse("leads:detail", args=[mine.pk])).status_code == 200
    for name in ("detail", "timeline", "edit"):
        hidden = client_of(rep).get(reverse(f"leads:{name}", args=[lead.pk]))
        assert hidden.status_code == 404


@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**30])
def test_a_lead_that_does_not_exist_is_not_found(web: Client, number: int) -> None:
    assert web.get(f"/leads/{number}/").status_code == 404


def test_colleagues_are_counted_only_as_far_as_the_person_may_see(lead: Lead) -> None:
    rep = make_user(Role.REP)
    mine = create_lead(now=timezone.now(), email="b@kesterwald.example")
    Lead.objects.filter(pk=mine.pk).update(owner=rep)

    seen = [
        client_of(user).get(reverse("leads:detail", args=[mine.pk])).context["colleagues"]
        for user in (rep, make_user(Role.MANAGER))
    ]

    assert lead.company_id == mine.company_id
    assert seen == [0, 1]


def test_days_and_times_are_those_of_the_viewer() -> None:
    moment = timezone.now() - timedelta(days=3)
    lead = make_lead(created_at=moment)
    viewer = make_user(Role.MARKETER, time_zone="Pacific/Auckland")

    shown = page(client_of(viewer), lead)

    local = moment.astimezone(ZoneInfo("Pacific/Auckland"))
    assert f"{local:%a} {local.day} {local:%b}" in shown
    assert f">{local:%H:%M}<" in shown


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


def ways(web: Client, lead: Lead, query: str) -> Any:
    return web.get(reverse("leads:detail", args=[lead.pk]), {"from": query}).context


def test_the_way_back_is_the_list_the_person_came_from(web: Client, lead: Lead) -> None:
    query = "view=all&f=stage.in.MQL&sort=-created"
    cleared = "view=new_this_week&f="

    assert ways(web, lead, query)["back_url"] == f"{reverse('leads:list')}?{query}"
    assert ways(web, lead, cleared)["back_url"] == f"{reverse('leads:list')}?{cleared}"
    assert ways(web, lead, "")["back_url"] == reverse("leads:list")


@pytest.mark.parametrize(
    "query", ["//evil.example/?a=1", "f=\x00", "f=nonsense&sort=x&view=y", "%"]
)
def test_a_list_that_cannot_be_leads_to_the_list_all_the_same(
    web: Client, lead: Lead, query: str
) -> None:
    assert ways(web, lead, query)["back_url"].startswith(reverse("leads:list"))


def test_the_leads_beside_are_those_of_the_list_in_its_order(web: Client) -> None:
    now = timezone.now()
    newest, here, hidden, oldest = (
        make_lead(created_at=now - timedelta(hours=age), country=country)
        for age, country in ((1, "DE"), (2, "DE"), (3, "FR"), (4, "DE"))
    )

    found = ways(web, here, "view=all&f=country.in.DE")
    first = ways(web, newest, "view=all&f=country.in.DE")

    assert (found["previous"], found["next"]) == (newest, oldest)
    assert (first["previous"], first["next"]) == (None, here)
    assert hidden not in (found["next"], first["next"])


def test_a_rep_is_led_only_to_leads_they_may_see() -> None:
    now = timezone.now()
    rep = make_user(Role.REP)
    make_lead(created_at=now - timedelta(hours=1))
    mine = make_lead(created_at=now - timedelta(hours=2), owner=rep)

    found = ways(client_of(rep), mine, "view=all")

    assert (found["previous"], found["next"]) == (None, None)


@pytest.fixture
def panel(tmp_path: Any, settings: Any) -> Iterator[None]:
    (tmp_path / "panel.html").write_text("<p>Seen by {{ viewer }}: {{ words }}</p>")
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}
    ]
    lead_panels.register(
        Panel("test", 1, "header", lambda lead, viewer, now: {"words": "Accept"}, "panel.html"),
        Panel("test_none", 1, "left", lambda lead, viewer, now: None, "missing.html"),
    )
    yield
    for name in ("test", "test_none"):
        del lead_panels._items[name]


def test_apps_furnish_the_page(panel: None, web: Client, lead: Lead, marketer: User) -> None:
    assert f"<p>Seen by {marketer}: Accept</p>" in page(web, lead)


def test_the_next_step_is_shown_with_its_time(web: Client, lead: Lead) -> None:
    Lead.objects.filter(pk=lead.pk).update(
        next_step="Send the offer", next_step_at=timezone.now() - timedelta(days=1)
    )

    shown = page(web, lead)

    assert "Send the offer" in shown
    assert "Was due" in shown


def test_a_move_of_the_lead_is_on_its_timeline(web: Client, lead: Lead, marketer: User) -> None:
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.DISQUALIFIED,
        now=timezone.now(),
        actor=marketer,
        reason="Student",
    )

    assert "Became Disqualified" in page(web, lead)


def test_an_edit_of_the_lead_is_on_its_timeline(web: Client, lead: Lead, marketer: User) -> None:
    update_lead(lead_id=lead.pk, now=timezone.now(), actor=marketer, city="Bergen")

    shown = page(web, lead)
    assert "City Esslingen to Bergen" in shown
    assert f"By {marketer}" in shown


def test_a_longer_history_costs_no_more_queries(web: Client, lead: Lead) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(web, lead)
        return len(queries)

    view(lead, minutes_ago=1)
    few = count()
    for number in range(40):
        view(lead, minutes_ago=number + 2)
    one_stretch_full = count()
    for number in range(100):
        view(lead, minutes_ago=number + 50)

    assert one_stretch_full == few
    assert count() == one_stretch_full
