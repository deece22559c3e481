"""``manage.py seed_demo``: fill an empty database with an invented company."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm.demo.company import DOMAIN, LOGINS, PASSWORD
from crm.demo.seed import DatabaseInUse, seed_demo


class Command(BaseCommand):
    """Makes the demo company; equal options make equal companies."""

    help = "Fill an empty database with an invented company, up to this minute."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare size, seed and the present."""
        parser.add_argument("--leads", type=int, default=2_000, help="how many (default: 2000)")
        parser.add_argument("--seed", type=int, default=1, help="equal seeds, equal companies")
        parser.add_argument(
            "--now", type=_moment, metavar="ISO", help="where the history ends (default: now)"
        )

    def handle(self, *_: Any, leads: int, seed: int, now: datetime | None, **__: Any) -> None:
        """Make the company and say how to log in."""
        try:
            made = seed_demo(leads=leads, seed=seed, now=now or timezone.now())
        except DatabaseInUse as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(
            f"{made.leads} leads, {made.became_mql} became MQL, {made.won} won;"
            f" {made.open_handoffs} handoffs are open."
        )
        for role, name in LOGINS:
            self.stdout.write(f"  {role:<10} {name}@{DOMAIN}")
        self.stdout.write(f"Password of all: {PASSWORD}")


def _moment(text: str) -> datetime:
    """Return an instant; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
