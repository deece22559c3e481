"""What the library recognises in what people do, and who may have which address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engagement.enums import AssetKind, EventKind, FunnelStage
from engagement.models import Event, EventKey
from engagement.patterns import PatternInvalid
from engagement.services import (
    PatternTaken,
    SlugTaken,
    create_asset,
    set_archived,
    update_asset,
)
from tests.engagement.content import make_asset, make_offer, make_webinar
from tests.engagement.inbox import absorb, message
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def seen(**body: Any) -> str | None:
    """Absorb a message and return the slug of the asset it is about."""
    number = Event.objects.count()
    absorb(message(f"m-{number}", **body))
    key = EventKey.objects.get(message_id=f"m-{number}")
    event = Event.objects.select_related("asset").get(id=key.event_id)
    return event.asset.slug if event.asset else None


def page(url: str) -> dict[str, Any]:
    return {"properties": {"url": url}}


def test_an_asset_is_seen_at_several_addresses() -> None:
    make_asset(slug="blog", patterns=["/blog", "/blog/*", "news.halvorn.example/*"])

    assert seen(**page("https://halvorn.example/blog/oee?x=1")) == "blog"
    assert seen(**page("https://news.halvorn.example/2026/05")) == "blog"
    assert seen(**page("https://halvorn.example/2026/05")) is None


def test_a_webinar_is_its_asset_whatever_page_it_happened_at() -> None:
    make_asset(slug="site", patterns=["/*"])
    live = make_asset(slug="live")
    make_webinar(slug="oee-may", asset=live)

    said = {"type": "track", "event": "Webinar Attended"}
    where = {"url": "https://halvorn.example/live", "webinar": "oee-may", "asset": "site"}
    assert seen(**said, properties=where) == "live"
    assert seen(**said, properties={**where, "webinar": ["oee-may"]}) == "site"
    assert Event.objects.filter(kind=EventKind.WEBINAR_ATTENDED).count() == 2


def test_an_address_of_another_asset_is_refused_by_name() -> None:
    taken = make_asset(name="Price list", patterns=["/pricing"])
    other = make_asset()

    for archive in (False, True):
        set_archived(asset_id=taken.pk, is_archived=archive)
        with pytest.raises(PatternTaken, match=r"/pricing belongs to Price list"):
            update_asset(
                asset_id=other.pk, name=other.name, kind=AssetKind.PAGE, persona="",
                funnel_stage=FunnelStage.TOFU, patterns=["/other", "/pricing/"],
            )  # fmt: skip

    assert list(other.patterns.all()) == []


def test_changed_addresses_are_those_that_are_named() -> None:
    asset = make_asset(patterns=["/a", "/b"])

    update_asset(
        asset_id=asset.pk, name="New", kind=AssetKind.PAGE, persona="Operations",
        funnel_stage=FunnelStage.TOFU, patterns=["/b", "/c/*", "/c/**"],
    )  # fmt: skip

    asset.refresh_from_db()
    assert sorted(map(str, asset.patterns.all())) == ["/b", "/c/*"]
    assert (asset.name, asset.persona, asset.funnel_stage) == ("New", "Operations", "TOFU")


def test_a_short_name_is_one_assets_only() -> None:
    make_asset(slug="plan")

    with pytest.raises(SlugTaken):
        create_asset(name="Other", slug="plan", funnel_stage=FunnelStage.TOFU)


def test_no_asset_is_made_with_what_is_no_address() -> None:
    with pytest.raises(PatternInvalid):
        make_asset(patterns=["/fine", "no address"])

    assert seen(**page("https://halvorn.example/fine")) is None


def test_an_archived_asset_is_still_recognised() -> None:
    asset = make_asset(slug="old", patterns=["/old"])
    set_archived(asset_id=asset.pk, is_archived=True)

    assert seen(**page("https://halvorn.example/old")) == "old"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"offer": "tour"}, {"offer": "tour", "fast_track": False}),
        ({"offer": "tour", "fast_track": True}, {"offer": "tour", "fast_track": False}),
        ({"offer": "unknown", "fast_track": True}, {"offer": "unknown"}),
        ({"fast_track": True}, {}),
    ],
)
def test_whether_an_act_is_a_fast_track_is_for_its_offer_to_say(
    said: dict[str, Any], kept: dict[str, Any]
) -> None:
    make_offer(slug="tour", is_fast_track=False)

    seen(type="track", event="Demo Requested", properties=said)

    assert Event.objects.get().properties == kept


@pytest.mark.parametrize(
    ("act", "ends"),
    [("Form Submitted", {}), ("Demo Requested", {"is_active": False}),
     ("Demo Requested", {"expires_at": NOW - timedelta(days=1)})],
)  # fmt: skip
def test_naming_an_offer_is_not_accepting_it(act: str, ends: dict[str, Any]) -> None:
    """Red when the name alone is enough: a website could put anybody on the fast track."""
    make_offer(slug="tour", **ends)

    seen(type="track", event=act, properties={"offer": "tour"}, timestamp=NOW.isoformat())

    assert Event.objects.get().properties == {"offer": "tour"}
