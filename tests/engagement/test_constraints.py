"""What the database refuses, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from engagement.enums import FunnelStage
from engagement.models import Asset, Visitor
from engagement.services import create_asset
from tests.engagement.inbox import NOW, absorb, message

pytestmark = pytest.mark.django_db


def _refuses(constraint: str, act: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        act()


def test_a_path_shows_one_asset() -> None:
    create_asset(name="Prices", slug="prices", funnel_stage=FunnelStage.BOFU, path="/prices")

    _refuses(
        "asset_one_per_path",
        lambda: Asset.objects.create(
            name="Price list", slug="price-list", funnel_stage=FunnelStage.BOFU, path="/prices"
        ),
    )


def test_many_assets_are_on_no_page() -> None:
    for slug in ("guide", "e-book"):
        create_asset(name=slug, slug=slug, funnel_stage=FunnelStage.TOFU)

    assert Asset.objects.filter(path="").count() == 2


def test_an_asset_is_in_a_known_stage_of_the_funnel() -> None:
    create_asset(name="Prices", slug="prices", funnel_stage=FunnelStage.BOFU)

    _refuses("asset_stage_is_known", lambda: Asset.objects.update(funnel_stage="EXIT"))


def test_a_visitor_is_there_once() -> None:
    absorb(message("m-1"))

    _refuses(
        "visitor_once",
        lambda: Visitor.objects.create(name="laptop", first_seen_at=NOW, last_seen_at=NOW),
    )
