"""SLA compliance narrowed by two things at once: every figure is a plain count of its clocks."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from io import StringIO
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.reports.models import SlaChange, SlaDay
from crm.reports.sla_output import figures
from crm.reports.standing import By, Standing
from handoff.enums import ClockKind
from handoff.models import Clock
from tests.factories import client_of, make_user
from tests.reports.factories import DAY, ZONES, Desk, count_all, key_of, open_one

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_zones")]

#: Which days are counted beforehand: all but those of three clocks that moved, or all.
FILLED = ("some", "all")
KEYS = (By.TEAM, By.REP, By.TIER, By.SOURCE, By.VERSION)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Hold the clock of pages and of the command: they are asked one after the other."""
    at = datetime.now().astimezone()
    monkeypatch.setattr(timezone, "now", lambda: at)
    return at


@pytest.fixture
def made(desk: Desk, now: datetime) -> list[Any]:
    """Sixty handoffs of two weeks, of which every second was touched."""
    random = Random(11)
    for number in range(60):
        handoff = open_one(desk, random, now - random.random() * 13 * DAY - DAY)
        if number % 2:
            clock = handoff.clocks.get(kind=ClockKind.FIRST_TOUCH)
            clock.elapsed = (clock.due_at - clock.started_at) * random.random() * 1.5
            clock.stopped_at = min(clock.started_at + clock.elapsed, now)
            clock.save()
    related = ("handoff__lead", "handoff__tier", "handoff__agreement", "handoff__imported")
    return list(Clock.objects.filter(kind=ClockKind.FIRST_TOUCH).select_related(*related))


def fill(filled: str, made: Sequence[Any], now: datetime) -> None:
    """Count days beforehand, and move clocks of some where only ``some`` are to hold."""
    count_all(now)
    if filled == "some":
        for clock in made[:3]:
            Clock.objects.filter(pk=clock.pk).update(due_at=clock.due_at - timedelta(minutes=1))
            clock.refresh_from_db(fields=["due_at"])
        assert SlaDay.objects.exists()
        assert SlaChange.objects.exists()


def standing_of(clock: Any, now: datetime) -> Standing:
    """Return what a clock that nobody excused or withdrew counts as."""
    if clock.stopped_at is not None:
        return Standing.ON_TIME if clock.stopped_at <= clock.due_at else Standing.LATE
    return Standing.LATE if clock.due_at < now else Standing.NOT_YET_DUE


def by_hand(clocks: Sequence[Any], now: datetime) -> dict[str, int]:
    standings = [standing_of(clock, now) for clock in clocks]
    return {"received": len(clocks), **{each.value: standings.count(each) for each in Standing}}


def counts_of(row: Any) -> dict[str, int]:
    names = ("received", *(each.value for each in Standing))
    return {name: int(row[name] if isinstance(row, dict) else getattr(row, name)) for name in names}


def sent(reader: Any, name: str, query: Mapping[str, str]) -> list[dict[str, str]]:
    answer = reader.get(reverse(f"reports:{name}"), query)
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(StringIO(text)))


def told(days: Mapping[str, str]) -> set[str]:
    """Return the handoffs that the command writes for ``days`` of the reader's zone."""
    out = StringIO()
    asked = ("--from", days["from"], "--to", days["to"], "--zone", ZONES[1])
    call_command("report", "sla", *asked, stdout=out)
    return {row["handoff"] for row in csv.DictReader(StringIO(out.getvalue()))}


@pytest.mark.parametrize("filled", FILLED)
def test_a_page_of_two_narrowings_counts_as_its_files_and_by_hand(
    made: list[Any], now: datetime, filled: str
) -> None:
    fill(filled, made, now)
    reader = client_of(make_user(Role.MANAGER, time_zone=ZONES[1]))
    last = timezone.localtime(now).date()
    first = last - 6 * DAY
    days = {"from": first.isoformat(), "to": last.isoformat()}
    of_days = {clock.pk: timezone.localtime(clock.started_at).date() for clock in made}
    asked = [clock for clock in made if of_days[clock.pk] >= first]
    earlier = [clock for clock in made if first - 7 * DAY <= of_days[clock.pk] < first]
    known = told(days)

    for pair, clock in zip(itertools.combinations(KEYS, 2), asked, strict=False):
        only = {by: key_of(clock, by) for by in pair}
        mine, before = (
            [each for each in some if all(key_of(each, by) == only[by] for by in pair)]
            for some in (asked, earlier)
        )
        query = {**days, **{by.value: key for by, key in only.items()}, "by": "source"}
        page = reader.get(reverse("reports:sla"), query).context
        *lines, table = sent(reader, "sla_table", query)
        rows = sent(reader, "sla_csv", query)

        assert counts_of(page["whole"].row) == by_hand(mine, now) == counts_of(table)
        assert sum(line.row.received for line in page["lines"]) == len(mine)
        assert sum(int(line["received"]) for line in lines) == len(mine)
        assert {row["handoff"] for row in rows} == {str(each.handoff_id) for each in mine}
        assert {row["handoff"] for row in rows} <= known
        assert counts_of(figures(page["question"], now=now).before) == by_hand(before, now)
    assert len(known) == len(asked)
