"""What several tests of this app start from."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.engagement.partitions import partitions


@pytest.fixture
def without_months(db: None) -> None:
    """Start without monthly partitions: tests that commit leave theirs behind."""
    with connection.cursor() as cursor:
        for name in partitions():
            if name != "engagement_event_default":
                cursor.execute(f"DROP TABLE {name}")
