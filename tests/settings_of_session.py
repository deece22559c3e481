"""Settings of the test's own database session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def session_setting(name: str, value: str) -> Iterator[None]:
    """Change a setting for a while: ``session_setting("lock_timeout", "200ms")``."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"RESET {name}")
