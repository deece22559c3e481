"""Assets: what there is to read, watch and use."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from engagement.enums import AssetKind, FunnelStage


class Asset(models.Model):
    """A piece of content or a page. ``path`` is the URL path that shows or delivers it."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)
    kind = models.CharField(max_length=12, choices=AssetKind, default=AssetKind.PAGE)
    funnel_stage = models.CharField(max_length=4, choices=FunnelStage)
    path = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(funnel_stage__in=FunnelStage.values), name="asset_stage_is_known"
            ),
            models.UniqueConstraint(
                fields=["path"], condition=~Q(path=""), name="asset_one_per_path"
            ),
        ]

    def __str__(self) -> str:
        return self.name
