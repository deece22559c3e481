"""``manage.py prepare``: bring database, static files and demo data up to date before a start."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from crm.demo.company import DOMAIN, LOGINS, PASSWORD
from crm.embedded.location import logins_note
from leads.models import Lead
from scoring.services import ensure_model

MIGRATION_LOCK = 0x6261746F6E  # "baton"; any number that nothing else locks


class Command(BaseCommand):
    """Safe to run at any time, by several machines at once: whoever comes second finds it done."""

    help = "Migrate, collect static files if they changed, and with --demo seed an empty database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare ``--demo``."""
        parser.add_argument(
            "--demo", action="store_true", help="fill an empty database with the demo company"
        )

    def handle(self, *_: Any, demo: bool, **__: Any) -> None:
        """Prepare in order: tables, demo, a scoring model where there is none, files."""
        with alone():
            self.stdout.write("Bringing the database up to date ...")
            call_command("migrate", verbosity=0, interactive=False)
            if demo and is_empty():
                self.stdout.write("Making the demo company ...")
                with transaction.atomic():
                    call_command("seed_demo", stdout=StringIO())
            ensure_model(now=timezone.now())
        self._note_logins()
        self._collect_static()

    def _note_logins(self) -> None:
        """Leave a note for ``up`` to show: how to log in, while the demo company is there."""
        accounts = {role: f"{name}@{DOMAIN}" for role, name in LOGINS}
        note = logins_note()
        if get_user_model().objects.filter(email__in=accounts.values()).exists():
            lines = [f"  {role:<10} {address}" for role, address in accounts.items()]
            note.write_text("\n".join([f"Log in with the password {PASSWORD} as", *lines]))
        else:
            note.unlink(missing_ok=True)

    def _collect_static(self) -> None:
        root = Path(settings.STATIC_ROOT)
        stamp = root / ".sources"
        sources = fingerprint_of_sources()
        if stamp.exists() and stamp.read_text() == sources:
            return
        self.stdout.write("Collecting static files ...")
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        stamp.write_text(sources)


@contextmanager
def alone() -> Iterator[None]:
    """Hold a lock in the database; wait for whoever holds it, and for slow migrations."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def is_empty() -> bool:
    """Tell whether nobody has used this database yet."""
    return not get_user_model().objects.exists() and not Lead.objects.exists()


def fingerprint_of_sources() -> str:
    """Return what changes whenever a static file is added, changed or removed."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
