from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

_NUMBER = re.compile(r"^_\w*LOCK\w* = ([\d_]+)$", re.MULTILINE)


def test_no_two_locks_of_the_database_share_a_number() -> None:
    sources = [
        path
        for app in ("crm", "leads", "engagement", "scoring", "handoff", "reports")
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py")
    ]
    numbers = [number for path in sources for number in _NUMBER.findall(path.read_text("utf-8"))]
    assert len(numbers) > 1
    assert len(set(numbers)) == len(numbers), sorted(numbers)
