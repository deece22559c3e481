"""Computes all scores anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from scoring import services


class Command(BaseCommand):
    """``manage.py rescore``: renews every score under the model in force."""

    help = "Compute all scores anew under the published model. Moves no lead by itself."

    def handle(self, **_: Any) -> None:
        """Renew range after range, from the first lead on."""
        model = services.published_model()
        if model is None:
            raise CommandError("No scoring model has been published yet")
        services.start_renewal()
        renewed = 0
        while count := services.renew_scores(now=timezone.now()):
            renewed += count
            self.stdout.write(f"{renewed:,} scores renewed under {model}")
