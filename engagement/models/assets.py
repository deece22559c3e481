"""Assets: what there is to read, watch and use, and the addresses they are at."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.accounts.models import User
from engagement.enums import AssetKind, FunnelStage
from engagement.patterns import LONGEST_HOST, LONGEST_PATH, Pattern


class Asset(models.Model):
    """A piece of content or a page. ``slug`` is its name in messages and scoring rules, for good.

    ``persona`` is whom it is written for, in the reader's own words. An archived asset is offered
    nowhere any more; what people do with it is still known to be its own. Written by
    ``engagement.services``.
    """

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)
    kind = models.CharField(max_length=12, choices=AssetKind, default=AssetKind.PAGE)
    funnel_stage = models.CharField(max_length=4, choices=FunnelStage)
    persona = models.CharField(max_length=60, blank=True)
    is_archived = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(funnel_stage__in=FunnelStage.values), name="asset_stage_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=AssetKind.values), name="asset_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AssetPattern(models.Model):
    """Addresses at which an asset is seen, each one asset's only; see ``engagement.patterns``."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="patterns")
    host = models.CharField(max_length=LONGEST_HOST, blank=True)
    path = models.CharField(max_length=LONGEST_PATH)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "path"], name="pattern_of_one_asset"),
        ]

    def __str__(self) -> str:
        return str(self.pattern)

    @property
    def pattern(self) -> Pattern:
        """Return the pattern itself."""
        return Pattern(self.host, self.path)


class AssetFile(models.Model):
    """The file behind an asset: handed out by a sealed link, never by its path.

    ``stored_as`` is the random name under which it lies, ``filename`` what people get it as, and
    ``content_type`` what its content was found to be. ``size`` is in bytes.
    """

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="file")
    stored_as = models.CharField(max_length=40, unique=True)
    filename = models.CharField(max_length=150)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    def __str__(self) -> str:
        return self.filename
