from __future__ import annotations

import pytest

from leads.local_time import local_time
from tests.factories import NOW


@pytest.mark.parametrize(
    ("country", "clock"), [("DE", "11:00"), ("GB", "10:00"), ("US", None), ("", None)]
)
def test_local_time_is_told_where_the_country_has_one(country: str, clock: str | None) -> None:
    there = local_time(country, NOW)

    assert (f"{there:%H:%M}" if there else None) == clock
