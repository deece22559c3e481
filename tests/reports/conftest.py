"""A desk, and people of several zones who read its figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tests.factories import make_team
from tests.handoff.factories import make_agreement, make_calendar, make_rep
from tests.reports.factories import ZONES, Desk, make_readers


@pytest.fixture
def desk() -> Desk:
    """Two teams with two reps each, and the two tiers of a signed agreement."""
    agreement = make_agreement()
    teams = [make_team(), make_team()]
    reps = [make_rep(team) for team in (*teams, *teams)]
    return Desk(teams, reps, list(agreement.tiers.all()), make_calendar())


@pytest.fixture
def in_zones(settings: Any) -> Iterator[None]:
    """Count for readers of three zones, one of half an hour; read in the second."""
    settings.TIME_ZONE = ZONES[0]
    make_readers()
    with timezone.override(ZoneInfo(ZONES[1])):
        yield
