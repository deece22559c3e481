"""``manage.py import_events``: a file of Segment-style messages, one JSON object a line."""

from __future__ import annotations

import hashlib
import os
from argparse import ArgumentParser
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from engagement.services import Refusal, import_events, read_lines

_PIECE = 1 << 20


class Command(BaseCommand):
    """Imports events; may be stopped and started again at any time without doubling any."""

    help = (
        "Import events from a file with one Segment-style JSON message a line. Refused lines are"
        " named on the error output; everything else is taken. Running it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the file and what to do with it."""
        parser.add_argument("file", type=Path, metavar="FILE.ndjson")
        parser.add_argument(
            "--source",
            default="import",
            help="whose messages these are; message and user ids are its own (default: import)",
        )
        parser.add_argument("--dry-run", action="store_true", help="check only, write nothing")
        parser.add_argument(
            "--refused", type=Path, metavar="FILE", help="copy the refused lines to this file"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Import the file and say what became of its lines."""
        source = options["source"].strip()
        if not 0 < len(source) <= 50:
            raise CommandError("--source needs a name of 1 to 50 characters")
        try:
            with options["file"].open("rb") as file, _sink(options["refused"]) as sink:
                self._run(file, sink, source, dry_run=options["dry_run"])
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error

    def _run(self, file: BufferedReader, sink: BinaryIO, source: str, *, dry_run: bool) -> None:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        file.seek(0)
        origin = Path(file.name)

        def refuse(refusal: Refusal) -> None:
            self.stderr.write(f"line {refusal.line.number}: {refusal.problem}")
            with origin.open("rb") as lines:
                lines.seek(refusal.line.offset)
                _copy(lines, sink, refusal.line.length)

        result = import_events(
            lines=read_lines(file),
            digest=digest,
            source=source,
            now=timezone.now(),
            on_refused=refuse,
            dry_run=dry_run,
        )
        self.stdout.write(
            f"{result.accepted} {'would be ' if dry_run else ''}accepted,"
            f" {result.duplicates} duplicate, {result.refused} refused"
        )


def _sink(path: Path | None) -> BinaryIO:
    """Open where refused lines go; without a path they go nowhere."""
    return (path or Path(os.devnull)).open("wb")


def _copy(lines: BinaryIO, sink: BinaryIO, length: int) -> None:
    """Copy ``length`` bytes piece by piece: a refused line may be larger than memory."""
    while length > 0 and (piece := lines.read(min(length, _PIECE))):
        sink.write(piece)
        length -= len(piece)
