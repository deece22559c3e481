from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from lucide.templatetags.lucide import lucide

from crm.accounts.enums import Role
from crm.common.slots import TimelineEntry, lead_columns, timeline_sources
from engagement.acts import ICONS, MACHINE_ICON, act_title
from engagement.enums import Actor, EventKind, FunnelStage
from engagement.history import act_entries, last_acts, machine_entries
from engagement.services import create_asset, record_event
from leads.models import Lead
from leads.services import create_lead
from tests.factories import make_user

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def lead(db: None) -> Lead:
    return create_lead(now=NOW - 999 * HOUR, email="ada@example.com")


def did(lead: Lead, kind: EventKind, hours_ago: int, **details: Any) -> None:
    record_event(lead_id=lead.pk, kind=kind, occurred_at=NOW - hours_ago * HOUR, now=NOW, **details)


def entries(lead: Lead, before: datetime | None = None, limit: int = 50) -> list[TimelineEntry]:
    return act_entries(lead.pk, make_user(), before, limit)


@pytest.mark.parametrize(
    ("kind", "about", "title"),
    [
        (EventKind.DOWNLOAD, {"asset": "OEE guide", "name": "x"}, "Downloaded OEE guide"),
        (EventKind.DOWNLOAD, {"name": "Asset Downloaded"}, "Downloaded"),
        (EventKind.PAGE_VIEW, {"name": "Our prices", "path": "/p"}, "Viewed Our prices"),
        (EventKind.PAGE_VIEW, {"path": "/blog/oee"}, "Viewed /blog/oee"),
        (EventKind.PAGE_VIEW, {}, "Viewed a page"),
        (EventKind.DEMO_REQUEST, {"name": "Demo Requested", "path": "/"}, "Asked for a demo"),
        (EventKind.IDENTIFY, {"asset": "Prices"}, "Identified"),
        (EventKind.CUSTOM, {"name": "Roof inspected", "asset": "Prices"}, "Roof inspected"),
        (EventKind.CUSTOM, {}, "Custom event"),
    ],
)
def test_an_event_is_told_as_a_short_sentence(
    kind: EventKind, about: dict[str, str], title: str
) -> None:
    assert act_title(kind=kind, **about) == title


@pytest.mark.parametrize("name", [*ICONS.values(), MACHINE_ICON])
def test_every_icon_can_be_drawn(name: str) -> None:
    assert "<svg" in lucide(name)


def test_every_kind_has_an_icon() -> None:
    assert set(ICONS) == set(EventKind)


def test_the_timeline_tells_acts_with_asset_stage_and_campaign(lead: Lead) -> None:
    prices = create_asset(name="Prices", slug="prices", funnel_stage=FunnelStage.BOFU)
    campaign = {"campaign": {"source": "google", "name": "autumn"}}
    did(lead, EventKind.PAGE_VIEW, 1, asset=prices, properties=campaign)

    (entry,) = entries(lead)

    assert (entry.at, entry.kind, entry.icon) == (NOW - HOUR, "acts", "eye")
    assert (entry.title, entry.tag, entry.tone) == ("Viewed Prices", "BOFU", "plain")
    assert (entry.detail, entry.points) == ("Came from Google, campaign autumn", None)


def test_machine_events_are_marked_with_no_points_and_the_reason(lead: Lead) -> None:
    did(
        lead, EventKind.EMAIL_CLICK, 1, actor=Actor.MACHINE, actor_reason="Known robot: barracuda"
    )  # fmt: skip

    (entry,) = machine_entries(lead.pk, make_user(), None, 50)

    assert entries(lead) == []
    assert (entry.kind, entry.act) == ("machines", None)
    assert (entry.tone, entry.icon, entry.points) == ("machine", "bot", Decimal(0))
    assert entry.detail == "Machine event, never scored. Known robot: barracuda"


def test_a_click_in_a_mail_tells_which_mail_and_where_to(lead: Lead) -> None:
    told = {"mailing": "May newsletter", "tracked_link": "7"}
    did(lead, EventKind.EMAIL_CLICK, 1, properties=told, url="https://halvorn.example/guide")
    did(lead, EventKind.PAGE_VIEW, 2, properties=told, name="Guide")

    click, page = entries(lead)

    assert (click.title, click.detail) == (
        "Clicked in May newsletter", "To https://halvorn.example/guide"
    )  # fmt: skip
    assert page.title == "Viewed Guide"


def test_what_only_tells_about_another_act_is_none_itself(lead: Lead) -> None:
    for kind in (EventKind.PAGE_VIEW, EventKind.PAGE_READ, EventKind.IDENTIFY):
        did(lead, kind, 1)

    assert [entry.icon for entry in entries(lead)] == ["eye"]


def test_whoever_scores_are_made_for_may_say_who_it_was(lead: Lead) -> None:
    did(lead, EventKind.PAGE_VIEW, 1)

    (seen_by_rep,) = act_entries(lead.pk, make_user(Role.REP), None, 9)
    (seen_by_marketer,) = act_entries(lead.pk, make_user(Role.MARKETER), None, 9)

    assert seen_by_rep.act is None
    assert seen_by_marketer.act is not None
    assert seen_by_marketer.act.label == "Mark as machine"


def test_repeats_share_a_key_and_single_acts_have_none(lead: Lead) -> None:
    did(lead, EventKind.PAGE_VIEW, 4, name="Prices")
    did(lead, EventKind.PAGE_VIEW, 3, name="Prices")
    did(lead, EventKind.PAGE_VIEW, 2, name="Blog")
    did(lead, EventKind.DEMO_REQUEST, 1)

    keys = [entry.key for entry in entries(lead)]

    assert keys == ["", "Viewed Blog:HUMAN", "Viewed Prices:HUMAN", "Viewed Prices:HUMAN"]


def test_pages_of_the_timeline_miss_and_repeat_nothing_even_within_one_instant(lead: Lead) -> None:
    for step, hours_ago in enumerate((1, 2, 2, 2, 3)):
        did(lead, EventKind.CUSTOM, hours_ago, name=f"Step {step}")

    first = entries(lead, limit=2)
    rest = entries(lead, before=first[-1].at, limit=2)

    assert [entry.at for entry in first] == [NOW - HOUR, *[NOW - 2 * HOUR] * 3]
    assert [entry.at for entry in rest] == [NOW - 3 * HOUR]
    assert len({entry.title for entry in first + rest}) == 5


def test_the_last_act_is_the_last_thing_a_person_did(lead: Lead) -> None:
    other = create_lead(now=NOW - HOUR, email="idle@example.com")
    viewer = make_user()
    did(lead, EventKind.DOWNLOAD, 5)
    did(lead, EventKind.DEMO_REQUEST, 3)
    did(lead, EventKind.EMAIL_OPEN, 1, actor=Actor.MACHINE, actor_reason="x")

    with CaptureQueriesContext(connection) as queries:
        acts = last_acts([lead.pk, other.pk], viewer, NOW)

    assert {pk: act.title for pk, act in acts.items()} == {lead.pk: "Asked for a demo"}
    assert acts[lead.pk].occurred_at == NOW - 3 * HOUR
    assert len(queries) == 1


def test_the_furniture_is_registered_and_can_be_rendered(lead: Lead) -> None:
    did(lead, EventKind.DEMO_REQUEST, 3)
    column = lead_columns.get("last_act")
    assert column is not None
    assert timeline_sources.get("events") is not None

    value = column.load([lead.pk], make_user(), NOW)[lead.pk]

    assert column.export(value) == "Asked for a demo"
    assert "Asked for a demo" in render_to_string(column.template, {"value": value, "lead": lead})
    assert render_to_string(column.template, {"value": None, "lead": lead}).strip() == ""
