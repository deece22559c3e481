"""``manage.py report sla --from DAY --to DAY [--by rep] [--format csv|json]``."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm.common.csv import csv_lines
from crm.reports.pages import SLA_HEADER
from crm.reports.questions import QuestionInvalid, SlaQuestion, sla_question
from crm.reports.sla import counted_rows
from crm.reports.sla_output import TABLE_HEADER, document, figures, table_rows
from crm.reports.standing import By
from handoff.enums import ClockKind


class Command(BaseCommand):
    """Writes the compliance page to standard output: its table, its handoffs, or all as JSON."""

    help = (
        "Write SLA compliance. --by gives the table of the page; without it CSV holds one row for "
        "each handoff that the page counts. The same figures as the page for the same days."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which figures, and in which form."""
        parser.add_argument("report", choices=["sla"])
        parser.add_argument("--from", dest="first", required=True, help="first day, as 2026-05-01")
        parser.add_argument("--to", dest="last", required=True, help="last day, included")
        parser.add_argument("--by", choices=[by.value for by in By])
        parser.add_argument(
            "--kind", choices=ClockKind.values, default=ClockKind.FIRST_TOUCH.value, help="clock"
        )
        parser.add_argument("--format", choices=["csv", "json"], default="csv")
        parser.add_argument(
            "--zone", type=_zone, default=settings.TIME_ZONE, help="whose days, as Europe/Berlin"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Ask what the page is asked, and write the answer."""
        now = timezone.now()
        asked = {
            "from": options["first"], "to": options["last"], "kind": options["kind"],
            "by": options["by"] or "",
        }  # fmt: skip
        with timezone.override(options["zone"]):
            try:
                question = sla_question(asked, now=now)
            except QuestionInvalid as error:
                raise CommandError(str(error)) from error
            if options["format"] == "json":
                found = figures(question, now=now)
                self.stdout.write(json.dumps(document(question, found, now=now), indent=2))
            else:
                self._write_csv(question, is_table=bool(options["by"]), now=now)

    def _write_csv(self, question: SlaQuestion, *, is_table: bool, now: datetime) -> None:
        if is_table:
            lines = csv_lines(TABLE_HEADER, table_rows(question, figures(question, now=now)))
        else:
            rows = counted_rows(question.scope, question.standing, now=now)
            lines = csv_lines(SLA_HEADER, rows)
        for line in lines:
            self.stdout.write(line, ending="")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ArgumentTypeError(f"{name!r} is no time zone, such as Europe/Berlin") from error
