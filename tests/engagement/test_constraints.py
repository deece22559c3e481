"""What the database refuses, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from engagement.enums import FunnelStage
from engagement.models import Asset, Offer, Visitor
from engagement.services import create_asset
from tests.engagement.inbox import NOW, absorb, message

pytestmark = pytest.mark.django_db


def _refuses(constraint: str, act: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        act()


def test_an_address_belongs_to_one_asset() -> None:
    create_asset(name="Prices", slug="prices", funnel_stage=FunnelStage.BOFU, patterns=["/prices"])
    other = create_asset(name="Price list", slug="price-list", funnel_stage=FunnelStage.BOFU)

    _refuses("pattern_of_one_asset", lambda: other.patterns.create(host="", path="/prices"))


def test_an_asset_is_in_a_known_stage_of_the_funnel() -> None:
    create_asset(name="Prices", slug="prices", funnel_stage=FunnelStage.BOFU)

    _refuses("asset_stage_is_known", lambda: Asset.objects.update(funnel_stage="EXIT"))
    _refuses("asset_kind_is_known", lambda: Asset.objects.update(kind="POEM"))


def test_a_visitor_is_there_once() -> None:
    absorb(message("m-1"))

    _refuses(
        "visitor_once",
        lambda: Visitor.objects.create(name="laptop", first_seen_at=NOW, last_seen_at=NOW),
    )


def test_an_offer_is_of_a_known_kind() -> None:
    _refuses(
        "offer_kind_is_known", lambda: Offer.objects.create(name="Cake", slug="cake", kind="CAKE")
    )
