"""Webinars: when they are, and which asset they are."""

from __future__ import annotations

from django.db import models

from engagement.models.assets import Asset


class Webinar(models.Model):
    """One webinar at one time. What people do about it are events of ``asset`` that name ``slug``.

    ``time_zone`` is where its hour is told. Written by ``engagement.services``.
    """

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)
    starts_at = models.DateTimeField()
    time_zone = models.CharField(max_length=50)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="webinars")

    class Meta:
        indexes = [models.Index(fields=["-starts_at", "-id"], name="webinar_by_time")]

    def __str__(self) -> str:
        return self.name
