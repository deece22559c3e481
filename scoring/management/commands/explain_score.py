"""Explains one score in lines."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads.models import Lead
from scoring import services
from scoring.explanation import Explanation, Line


class Command(BaseCommand):
    """``manage.py explain_score EMAIL [--as-of T] [--known-at T] [--json]``."""

    help = "Show how the score of a lead came about, now or as of any instant."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the address and the instants."""
        parser.add_argument("email", help="the lead's e-mail address")
        parser.add_argument("--as-of", help="ISO 8601 time: what had happened by then counts")
        parser.add_argument(
            "--known-at", help="ISO 8601 time; what had been received by then counts"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, email: str, **options: Any) -> None:
        """Print the explanation as lines or as JSON."""
        lead = Lead.objects.filter(email=email.strip().lower()).first()
        if lead is None:
            raise CommandError(f"There is no lead with the address {email!r}")
        as_of = _moment("--as-of", options["as_of"]) or timezone.now()
        known_at = _moment("--known-at", options["known_at"])
        try:
            told = services.explain(lead_id=lead.pk, as_of=as_of, known_at=known_at)
            why = services.why_mql(lead_id=lead.pk, moment=as_of)
        except services.NoModel as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps({**told.as_json(), "why": why}, indent=2))
        else:
            self.stdout.write("\n".join(_text(lead, told, why)))


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise CommandError(f"{option} needs a time such as 2026-03-03T12:00+01:00") from problem
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _text(lead: Lead, told: Explanation, why: str) -> Sequence[str]:
    fit = "not evaluated" if told.fit_score is None else f"{told.fit_score}, {told.fit_grade}"
    lines = [
        f"{lead}, {told.cell or 'not evaluated'}",
        f"Model v{told.model_version}, as of {_time(told.as_of)}",
        f"{told.standing}. {told.needs}.",
        f"Engagement {told.engagement_score}, level {told.engagement_level}",
        *map(_line, told.engagement_lines),
        f"Fit {fit}" + (f", {told.persona}" if told.persona else ""),
        *map(_line, told.fit_lines),
        why,
    ]
    if told.gaps:
        lines.append(f"Gaps: {', '.join(told.gaps)}")
    if told.held_back:
        lines.append(f"{told.held_back[:1].upper()}{told.held_back[1:]}")
    if told.drops_out_at:
        lines.append(f"Drops out {_time(told.drops_out_at)}")
    if told.level_changes_at:
        lines.append(f"Level {told.engagement_level} until {_time(told.level_changes_at)}")
    lines += [f"Not counted: {line.text}, {line.how}" for line in told.uncounted]
    lines += [f"Counts nothing: {problem}" for problem in told.unreadable]
    if told.counts_from:
        lines.append(f"Acts before the recycling of {_time(told.counts_from)} count no more")
    if told.acts_unknown:
        lines.append(f"{told.acts_unknown} acts of that time were not known yet")
    return lines


def _time(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M %Z}"


def _line(line: Line) -> str:
    return f"  {line.points:>+6}  {line.text}" + (f" ({line.how})" if line.how else "")
