"""The library of assets, and recognising them in what people do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engagement.enums import AssetKind, FunnelStage
from engagement.messages import Message
from engagement.models import Asset


def create_asset(
    *,
    name: str,
    slug: str,
    funnel_stage: FunnelStage,
    kind: AssetKind = AssetKind.PAGE,
    path: str = "",
) -> Asset:
    """Add an asset; events that name ``slug`` or happen at the URL path are from then on its own.

    Raises:
        IntegrityError: when another asset has the slug or the path.
    """
    return Asset.objects.create(
        name=name, slug=slug, kind=kind, funnel_stage=funnel_stage, path=path.rstrip("/") or path
    )


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
    by_path: Mapping[str, Recognised]

    @classmethod
    def load(cls) -> Library:
        """Read the library; it is small, and one read serves a whole batch."""
        rows = [
            (slug, path, Recognised(pk, funnel_stage))
            for pk, slug, path, funnel_stage in Asset.objects.values_list(
                "pk", "slug", "path", "funnel_stage"
            )
        ]
        return cls(
            by_slug={slug: asset for slug, _, asset in rows},
            by_path={path: asset for _, path, asset in rows if path},
        )

    def find(self, message: Message) -> Recognised:
        """Return the asset that the message names, or else happens at."""
        return self.by_slug.get(message.asset_slug) or self.by_path.get(message.path) or _NONE
