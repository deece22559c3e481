"""Who in marketing answers for what a source brings."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SourceOwner(models.Model):
    """The marketer who is told when sales refuses a lead of ``source``, as leads carry it."""

    source = models.CharField(max_length=100, unique=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sources"
    )

    def __str__(self) -> str:
        return self.source
