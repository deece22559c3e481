"""Where a handoff of the past came from."""

from __future__ import annotations

from django.db import models

from handoff.models.handoff import Handoff


class ImportedHandoff(models.Model):
    """The number of a past handoff in the tool that had it; the same one comes in once.

    ``priority`` is that tool's word for what is a tier here.
    """

    handoff = models.OneToOneField(
        Handoff, primary_key=True, on_delete=models.CASCADE, related_name="imported"
    )
    system = models.CharField(max_length=50)
    external_id = models.CharField(max_length=200)
    priority = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["system", "external_id"], name="imported_handoff_number_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.external_id}"
