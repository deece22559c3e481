"""Links whose followers are known."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5


class TrackedLink(models.Model):
    """Where a link of ours leads. ``mailing`` names the mail or page that it stands in.

    A hidden link is one that people cannot see; whoever follows it is a machine. Addresses of links
    are made by ``engagement.services.link_url``.
    """

    target = models.CharField(max_length=1000)
    mailing = models.CharField(max_length=100, blank=True)
    is_hidden = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(target__iregex=r"^https?://[^/?#]"), name="link_leads_to_the_web"
            ),
            models.UniqueConstraint(
                "mailing", MD5("target"), "is_hidden", name="link_once_in_a_mailing"
            ),
        ]

    def __str__(self) -> str:
        return self.target
