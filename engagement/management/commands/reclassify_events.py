"""Says anew who caused events, after more robots became known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from engagement.services import reclassify_events


class Command(BaseCommand):
    """``manage.py reclassify_events [--since 2026-05-01] [--dry-run]``."""

    help = "Say anew by their agents who caused events. What people decided stays."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a first day, and whether only to count."""
        parser.add_argument("--since", metavar="DAY", help="leave events before this day (UTC)")
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, *, since: str | None, dry_run: bool, **_: Any) -> None:
        """Classify, and tell how many events changed from what to what."""
        changes = reclassify_events(now=timezone.now(), since=_start_of(since), dry_run=dry_run)
        for change in changes:
            before = change.was_reason or change.was_actor.lower()
            after = change.reason or change.actor.lower()
            self.stdout.write(
                f"{change.events:>9,} events of {change.leads:,} leads: {before} -> {after}"
            )
        total = sum(change.events for change in changes)
        words = "would change" if dry_run else "changed; scores follow"
        self.stdout.write(f"{total:>9,} events {words}")


def _start_of(day: str | None) -> datetime | None:
    if day is None:
        return None
    try:
        found = parse_date(day)
    except ValueError:  # such as the 30th of February
        found = None
    if found is None:
        raise CommandError(f"--since {day!r} is no day such as 2026-05-01")
    return datetime(found.year, found.month, found.day, tzinfo=UTC)
