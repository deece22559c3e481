"""Compares stored scores with a recompute."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from scoring.services.checking import checkable_scores, differences, lost_leads

_SHOWN = 20


class Command(BaseCommand):
    """``manage.py check_scores``: fails when a stored score differs from a recompute or is lost."""

    help = "Compare every stored score with a recompute; exits non-zero on a difference or a gap."

    def handle(self, **_: Any) -> None:
        """Check all scores that are not due, and name the first that differ."""
        checked, wrong = 0, []
        for batch in checkable_scores(now=timezone.now()):
            checked += len(batch)
            wrong += list(differences(batch))
        for difference in wrong[:_SHOWN]:
            self.stderr.write(str(difference))
        if wrong:
            leads = len({difference.lead_id for difference in wrong})
            raise CommandError(f"{leads:,} of {checked:,} scores differ from a recompute")
        if lost := lost_leads():
            named = ", ".join(map(str, lost[:_SHOWN]))
            raise CommandError(f"{len(lost):,} leads have no score and none is due: {named}")
        self.stdout.write(f"{checked:,} scores checked, none differs")
