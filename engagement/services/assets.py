"""The library of assets: adding to it, changing it, and recognising assets in what people do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from engagement.enums import AssetKind, FunnelStage
from engagement.messages import FAST_TRACK, Message
from engagement.models import Asset, AssetPattern, Offer, Webinar
from engagement.patterns import Pattern, Recogniser, read_pattern


class SlugTaken(Exception):
    """Another asset, offer or webinar has this short name."""


class PatternTaken(Exception):
    """An address belongs to another asset; the message names both."""

    def __init__(self, pattern: Pattern, asset: Asset) -> None:
        """Compose the sentence a person reads."""
        archived = ", which is archived" if asset.is_archived else ""
        super().__init__(f"{pattern} belongs to {asset.name}{archived}.")


@transaction.atomic
def create_asset(
    *,
    name: str,
    slug: str,
    funnel_stage: FunnelStage,
    kind: AssetKind = AssetKind.PAGE,
    persona: str = "",
    patterns: Sequence[str] = (),
) -> Asset:
    """Add an asset; events that name ``slug`` or happen at ``patterns`` are from then on its own.

    Raises:
        SlugTaken: another asset has the slug.
        PatternInvalid: a pattern is none.
        PatternTaken: another asset has a pattern.
    """
    try:
        with transaction.atomic():
            asset = Asset.objects.create(
                name=name, slug=slug, kind=kind, funnel_stage=funnel_stage, persona=persona
            )
    except IntegrityError as error:
        if Asset.objects.filter(slug=slug).exists():
            raise SlugTaken from error
        raise
    _set_patterns(asset, patterns)
    return asset


@transaction.atomic
def update_asset(
    *,
    asset_id: int,
    name: str,
    funnel_stage: FunnelStage,
    kind: AssetKind,
    persona: str,
    patterns: Sequence[str],
) -> Asset:
    """Change what an asset is and where it is seen; what was recorded stays as it was.

    Raises:
        PatternInvalid: a pattern is none.
        PatternTaken: another asset has a pattern.
    """
    asset = Asset.objects.select_for_update().get(pk=asset_id)
    asset.name, asset.kind, asset.persona = name, kind, persona
    asset.funnel_stage = funnel_stage
    asset.save(update_fields=["name", "kind", "persona", "funnel_stage"])
    _set_patterns(asset, patterns)
    return asset


def set_archived(*, asset_id: int, is_archived: bool) -> None:
    """Take an asset out of the lists, or back into them; its addresses stay its own."""
    Asset.objects.filter(pk=asset_id).update(is_archived=is_archived)


def _set_patterns(asset: Asset, texts: Iterable[str]) -> None:
    """Make ``texts`` the patterns of an asset; the unique index finds another's, even in a race."""
    wanted = dict.fromkeys(read_pattern(text) for text in texts)
    for known in asset.patterns.all():
        if known.pattern not in wanted:
            known.delete()
        wanted.pop(known.pattern, None)
    for pattern in wanted:
        try:
            with transaction.atomic():
                asset.patterns.create(host=pattern.host, path=pattern.path)
        except IntegrityError as error:
            other = Asset.objects.filter(
                patterns__host=pattern.host, patterns__path=pattern.path
            ).first()
            if other is None:
                raise
            raise PatternTaken(pattern, other) from error


@dataclass(frozen=True, slots=True)
class Recognised:
    """The asset of an event and its funnel stage; neither when the event is about none."""

    id: int | None = None
    funnel_stage: str = ""


_NONE = Recognised()


@dataclass(frozen=True)
class Library:
    """All assets, as events name them."""

    by_slug: Mapping[str, Recognised]
    by_webinar: Mapping[str, Recognised]
    pages: Recogniser[Recognised]
    offers: Mapping[str, Offer]

    @classmethod
    def load(cls) -> Library:
        """Read the library; it is small, and four reads serve a whole batch."""
        rows = Asset.objects.values_list("pk", "slug", "funnel_stage")
        assets = {pk: (slug, Recognised(pk, stage)) for pk, slug, stage in rows}
        webinars = Webinar.objects.values_list("slug", "asset_id")
        patterns = AssetPattern.objects.values_list("host", "path", "asset_id")
        return cls(
            by_slug=dict(assets.values()),
            by_webinar={slug: assets[pk][1] for slug, pk in webinars if pk in assets},
            pages=Recogniser(
                (Pattern(host, path), assets[pk][1]) for host, path, pk in patterns if pk in assets
            ),
            offers={offer.slug: offer for offer in Offer.objects.all()},
        )

    def find(self, message: Message) -> Recognised:
        """Return the asset of the webinar or the one that the message names, or happens at."""
        return (
            self.by_webinar.get(_named("webinar", message.properties))
            or self.by_slug.get(message.asset_slug)
            or self.pages.find(message.url, message.path)
            or _NONE
        )

    def properties(self, message: Message) -> dict[str, Any]:
        """Return what the message tells, with the fast track of the offer that it accepts.

        To name an offer is not to accept it: the act has to be the offer's, and the offer to stand.
        """
        said = message.properties
        offer = self.offers.get(_named("offer", said))
        if not offer or message.kind is not offer.event_kind:
            return said
        if not offer.stands(message.occurred_at):
            return said
        return {**said, FAST_TRACK: offer.is_fast_track}


def _named(key: str, properties: Mapping[str, Any]) -> str:
    slug = properties.get(key)
    return slug if isinstance(slug, str) else ""
