"""Computes all scores anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from scoring import services


class Command(BaseCommand):
    """``manage.py rescore [--model V]``: renews every score under the model in force."""

    help = "Compute all scores anew under the published model. Moves no lead by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the version."""
        parser.add_argument("--model", type=int, help="the version that must be in force")

    def handle(self, **options: Any) -> None:
        """Renew range after range, from the first lead on."""
        model = services.published_model()
        if model is None:
            raise CommandError("No scoring model has been published yet")
        asked = options["model"]
        if asked not in {None, model.version}:
            raise CommandError(
                f"{model} is in force, not v{asked}: scores are those of one model."
                f" Restore v{asked} as a draft to put it in force."
            )
        services.start_renewal()
        renewed = 0
        while count := services.renew_scores(now=timezone.now()):
            renewed += count
            self.stdout.write(f"{renewed:,} scores renewed under {model}")
