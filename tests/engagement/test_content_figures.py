"""Figures of content: what they count, and that each opens exactly the leads it counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm.accounts.enums import Role
from crm.common.criteria import ValueInvalid
from crm.common.period import Period
from engagement.content_lists import AT_ONCE
from engagement.enums import Actor, EventKind
from engagement.figures import ContentFigures, asset_figures, offer_figures
from engagement.models import Asset
from engagement.services import accept_offer, record_event
from engagement.slices import STEPS, Slice, Step, Subject, read_slice, slice_q
from leads.enums import LifecycleStage
from leads.models import Lead
from tests.engagement.content import make_asset, make_offer, make_webinar
from tests.factories import NOW, client_of, make_lead, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
MAY = Period(date(2026, 5, 1), date(2026, 5, 31))


def did(
    lead: Lead, asset: Asset, kind: EventKind, at: datetime, actor: Actor = Actor.HUMAN
) -> None:
    record_event(lead_id=lead.pk, kind=kind, occurred_at=at, now=at + DAY, asset=asset, actor=actor)


def mql(at: datetime, **fields: Any) -> Lead:
    stage = fields.pop("stage", LifecycleStage.MQL)
    return make_lead(stage=stage, stage_since=at, created_at=at - 30 * DAY, **fields)


def library() -> Asset:
    """Two downloads by one, a view by one who is MQL later, one who was before, and noise."""
    asset, other = make_asset(slug="plan"), make_asset()
    reader, later, before = make_lead(), mql(NOW), mql(NOW - 5 * DAY, stage="SQL")
    did(reader, asset, EventKind.DOWNLOAD, NOW - 3 * DAY)
    did(reader, asset, EventKind.DOWNLOAD, NOW - 2 * DAY)
    did(later, asset, EventKind.PAGE_VIEW, NOW - DAY)
    did(before, asset, EventKind.PAGE_VIEW, NOW - 6 * DAY)
    did(before, asset, EventKind.PAGE_VIEW, NOW - DAY)
    did(mql(NOW), asset, EventKind.PAGE_VIEW, NOW + DAY)
    did(mql(NOW), asset, EventKind.PAGE_VIEW, NOW - DAY, Actor.MACHINE)
    did(mql(NOW), other, EventKind.DOWNLOAD, NOW - DAY)
    did(mql(NOW), asset, EventKind.DOWNLOAD, NOW - 60 * DAY)
    return asset


def counted(thing: Any, subject: Subject, step: Step) -> int:
    return Lead.objects.filter(slice_q(Slice(subject, thing, step, MAY))).count()


def test_an_asset_counts_who_became_mql_and_sql_after_it() -> None:
    asset = library()

    found = asset_figures(MAY.start, MAY.end)[asset.pk]

    assert found == ContentFigures(acts=2, leads=4, mqls=1, sqls=1)
    assert asset_figures(MAY.start, MAY.end, asset_id=asset.pk) == {asset.pk: found}


def test_each_figure_of_an_asset_opens_the_leads_that_it_counts() -> None:
    asset = library()

    counts = [counted(asset, Subject.ASSET, step) for step in STEPS[Subject.ASSET]]

    assert counts == [4, 1, 1, 1]  # two downloads by one lead


def test_an_offer_counts_who_accepted_it() -> None:
    offer, other = make_offer(slug="tour"), make_offer()
    later, lead = mql(NOW), make_lead()
    for who, what, at in (
        (later, offer, NOW - DAY), (lead, offer, NOW - 3 * DAY), (lead, offer, NOW),
        (lead, other, NOW), (lead, offer, NOW - 60 * DAY),
    ):  # fmt: skip
        accept_offer(offer=what, lead_id=who.pk, now=at)

    found = offer_figures(MAY.start, MAY.end)

    assert found[offer.pk] == ContentFigures(acts=3, leads=2, mqls=1, sqls=0)
    assert found[other.pk].acts == 1
    counts = [counted(offer, Subject.OFFER, step) for step in STEPS[Subject.OFFER]]
    assert counts == [2, 1, 0]


@pytest.mark.parametrize("subject", list(Subject))
def test_a_code_says_what_a_slice_is(subject: Subject) -> None:

    made: dict[Subject, Any] = {
        Subject.ASSET: make_asset,
        Subject.OFFER: make_offer,
        Subject.WEBINAR: make_webinar,
    }
    thing = made[subject](name="The plan")
    for step in STEPS[subject]:
        for period in (MAY, None):
            asked = Slice(subject, thing, step, period)
            assert read_slice(asked.code).code == asked.code
            assert "The plan" in asked.words


@pytest.mark.parametrize(
    "code",
    ["", "asset", "asset:plan:mql:2026-05-01", "asset:plan:attended", "cake:plan:mql",
     "asset:none:mql", "asset:plan:mql:2026-05-31:2026-05-01", "asset:plan:mql:x:y"],
)  # fmt: skip
def test_what_is_no_figure_is_refused(code: str) -> None:
    make_asset(slug="plan")

    with pytest.raises(ValueInvalid):
        read_slice(code)


def test_the_library_page_shows_figures_that_open_lists() -> None:
    now = timezone.now()
    asset, lead = make_asset(name="The plan", slug="plan"), make_lead(last_name="Reader")
    record_event(lead_id=lead.pk, kind=EventKind.DOWNLOAD, occurred_at=now, now=now, asset=asset)
    client = client_of(make_user(Role.MARKETER))

    text = client.get("/content/assets/").content.decode()

    [address, *_] = [part.split('"')[0] for part in text.split('href="') if "downloaded" in part]
    assert "Reader" in client.get(address.replace("&amp;", "&")).content.decode()


def test_the_library_page_asks_once_whatever_it_lists(
    django_assert_max_num_queries: Any,
) -> None:
    client = client_of(make_user(Role.MARKETER))
    make_asset()
    client.get("/content/assets/")
    with django_assert_max_num_queries(12):
        client.get("/content/assets/")
    for _ in range(3):
        make_asset()
    with django_assert_max_num_queries(12):
        client.get("/content/assets/")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["Blog", "Guide"]),
        ("?kind=BLOG", ["Blog"]),
        ("?stage=MOFU", ["Guide"]),
        ("?archived=1", ["Old"]),
        ("?kind=nonsense&stage=x", ["Blog", "Guide"]),
    ],
)
def test_the_library_is_filtered_by_its_address(query: str, shown: list[str]) -> None:
    make_asset(name="Blog", kind="BLOG", funnel_stage="TOFU")
    make_asset(name="Guide", kind="GUIDE")
    Asset.objects.create(name="Old", slug="old", funnel_stage="TOFU", is_archived=True)

    answer = client_of(make_user(Role.MARKETER)).get(f"/content/assets/{query}")

    assert [line.thing.name for line in answer.context["lines"]] == shown


def test_an_empty_library_says_what_to_do() -> None:
    text = client_of(make_user(Role.MARKETER)).get("/content/assets/").content.decode()

    assert "No asset yet" in text


def test_a_period_that_is_none_is_left_out() -> None:
    client = client_of(make_user(Role.MARKETER))

    for page in ("assets", "offers"):
        answer = client.get(f"/content/{page}/?from=2026-05-31&to=2026-05-01", follow=True)
        assert "ends before it starts" in answer.content.decode()


def test_assets_are_made_and_changed_by_their_form() -> None:
    client = client_of(make_user(Role.MARKETER))
    said = {
        "name": "Planned downtime", "kind": "GUIDE", "funnel_stage": "TOFU",
        "persona": "Maintenance lead", "patterns": "/guides/downtime\n/guides/downtime/*",
    }  # fmt: skip

    made = client.post("/content/assets/add/", said)
    again = client.post("/content/assets/add/", said)
    changed = client.post("/content/assets/planned-downtime/edit/", {**said, "name": "Downtime"})

    assert (made.status_code, changed.status_code) == (302, 302)
    assert again.status_code == 422
    assert "Another asset has this short name" in again.content.decode()
    asset = Asset.objects.get()
    assert (asset.name, asset.slug, asset.patterns.count()) == ("Downtime", "planned-downtime", 2)


def test_a_faulty_address_is_told_at_its_field() -> None:
    make_asset(name="Prices", patterns=["/pricing"])
    client = client_of(make_user(Role.MARKETER))
    said = {"name": "X", "kind": "PAGE", "funnel_stage": "TOFU"}

    faulty = client.post("/content/assets/add/", {**said, "patterns": "pricing"})
    taken = client.post("/content/assets/add/", {**said, "patterns": "/pricing"})

    assert "has no path" in faulty.content.decode()
    assert "/pricing belongs to Prices" in taken.content.decode()
    assert Asset.objects.count() == 1


def test_offers_are_made_and_changed_by_their_form() -> None:
    client = client_of(make_user(Role.MARKETER, time_zone="Europe/Berlin"))
    said = {
        "name": "Winter check", "kind": "PROMOTION", "is_active": "on",
        "expires_at": "2026-12-24T18:00",
    }  # fmt: skip

    client.post("/content/offers/add/", said)
    client.post("/content/offers/winter-check/", {**said, "is_fast_track": "on"})

    page = client.get("/content/offers/")
    [line] = page.context["lines"]
    assert (line.thing.is_fast_track, line.thing.slug) == (True, "winter-check")
    assert line.thing.expires_at == datetime(2026, 12, 24, 17, 0, tzinfo=UTC)


def test_with_few_leads_the_figures_come_with_the_page() -> None:
    make_asset()
    answer = client_of(make_user(Role.MARKETER)).get("/content/assets/")

    assert Lead.objects.count() < AT_ONCE
    assert "hx-trigger" not in answer.content.decode().split('aria-label="Assets"')[1][:120]


def test_a_stranger_sees_nothing_of_it() -> None:
    assert Client().get("/content/assets/").status_code == 302
