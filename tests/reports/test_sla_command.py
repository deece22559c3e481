"""``manage.py report sla``: the same figures and rows as the page and its CSV."""

from __future__ import annotations

import csv
import itertools
import json
from datetime import timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from crm.accounts.enums import Role
from crm.common.period import period_from
from crm.reports.services import count_sla_days, count_splits
from crm.reports.standing import By
from handoff.enums import TouchChannel, TouchOutcome
from handoff.models import Handoff
from handoff.services import log_touch
from tests.factories import client_of, make_team, make_user
from tests.handoff.factories import (
    ANY_LEAD,
    BERLIN_WEEK,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def days() -> dict[str, str]:
    """Three handoffs of two reps ten days ago: one kept, one late, one never answered."""
    begun = timezone.now() - timedelta(days=10)
    make_calendar(definition=_closed_since_yesterday(), now=begun - timedelta(days=1))
    make_agreement(ANY_LEAD, now=begun - timedelta(days=1))
    team = make_team(name="DACH")
    make_rep(team, full_name="Tomas Orlind")
    make_rep(team, full_name="=Karel")
    for minutes in (1, 60 * 24 * 5, None):
        handoff = make_handoff(now=begun)
        if minutes is not None and handoff.holder:
            at = handoff.opened_at + timedelta(minutes=minutes)
            log_touch(
                handoff_id=handoff.pk, rep=handoff.holder, channel=TouchChannel.CALL,
                outcome=TouchOutcome.NO_ANSWER, occurred_at=at, now=at,
            )  # fmt: skip
    period = period_from({"period": "month"}, now=timezone.now(), default="month")
    first = (timezone.now() - timedelta(days=20)).date()
    return {"from": first.isoformat(), "to": period.last.isoformat()}


def _closed_since_yesterday() -> dict[str, Any]:
    """Return hours in which nothing grows older between one answer and the next."""
    today = timezone.localtime(timezone=ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
    ends = [today + timedelta(days=days) for days in (-1, 2)]
    return {**BERLIN_WEEK, "closures": [[f"{at:%Y-%m-%dT%H:%M}" for at in ends]]}


def report(days: dict[str, str], *more: str) -> str:
    out = StringIO()
    call_command("report", "sla", "--from", days["from"], "--to", days["to"], *more, stdout=out)
    return out.getvalue()


def sent(name: str, query: dict[str, Any]) -> str:
    """Return what a manager, whose zone is that of the installation, is sent."""
    answer: Any = client_of(make_user(Role.MANAGER)).get(reverse(f"reports:{name}"), query)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def test_rows_are_those_of_the_csv_of_the_page(days: dict[str, str]) -> None:
    written = report(days)
    assert written == sent("sla_csv", days)
    assert len(list(csv.DictReader(StringIO(written)))) == 3


@pytest.mark.parametrize("by", list(By))
def test_a_table_is_that_of_the_page_in_both_formats(days: dict[str, str], by: By) -> None:
    written = report(days, "--by", by)
    assert written == sent("sla_table", {**days, "by": by})
    document = json.loads(report(days, "--by", by, "--format", "json"))
    page = client_of(make_user(Role.MANAGER)).get(reverse("reports:sla"), {**days, "by": by})
    shown = [*page.context["lines"], page.context["whole"]]

    lines = list(csv.DictReader(StringIO(written)))
    for line, named, on_page in zip(
        lines, [*document["rows"], document["all"]], shown, strict=True
    ):
        figures = {name: "" if value is None else str(value) for name, value in named.items()}
        assert figures == {
            name: value.removeprefix("'") for name, value in line.items() if name != "by"
        }
        for name in ("received", "on_time", "late", "not_yet_due", "excused", "withdrawn", "due"):
            assert int(line[name]) == getattr(on_page.row, name)
        assert int(line["open"]) == on_page.row.still_open
    assert len(lines) > 1
    assert document["all"]["longest_open_minutes"] > 0


@pytest.mark.parametrize("is_counted", [False, True], ids=["live", "counted beforehand"])
def test_a_narrowed_page_is_its_table_and_its_rows(days: dict[str, str], is_counted: bool) -> None:
    while is_counted and (count_splits(now=timezone.now()) or count_sla_days(now=timezone.now())):
        pass
    handoff = Handoff.objects.earliest("id")
    narrowings = {
        "team": handoff.team_id, "rep": handoff.holder_id, "tier": "Everything else",
        "source": handoff.lead.source or "-", "version": 1,
    }  # fmt: skip
    for number in (1, 2):
        for asked in itertools.combinations(narrowings.items(), number):
            assert_page_is_its_table_and_its_rows({**days, **dict(asked), "by": "week"})


def assert_page_is_its_table_and_its_rows(asked: dict[str, Any]) -> None:
    page = client_of(make_user(Role.MANAGER)).get(reverse("reports:sla"), asked)
    whole = page.context["whole"].row
    *lines, last = csv.DictReader(StringIO(sent("sla_table", asked)))
    rows = list(csv.DictReader(StringIO(sent("sla_csv", asked))))
    assert whole.received == len(rows) == int(last["received"]) > 0
    assert [line.row.received for line in page.context["lines"]] == [
        int(line["received"]) for line in lines
    ]
    assert whole.late == sum(row["standing"] == "late" for row in rows) == int(last["late"])


def test_what_is_narrowed_twice_is_what_the_command_says_of_it(days: dict[str, str]) -> None:
    told = list(csv.DictReader(StringIO(report(days))))
    handoff = Handoff.objects.select_related("team", "holder", "lead").earliest("id")
    keys = {
        "team": handoff.team_id, "rep": handoff.holder_id, "tier": "Everything else",
        "source": handoff.lead.source or "-",
    }  # fmt: skip
    words = {
        "team": str(handoff.team), "rep": str(handoff.holder), "tier": "Everything else",
        "source": handoff.lead.source,
    }  # fmt: skip
    for pair in itertools.combinations(keys, 2):
        asked = {**days, **{name: str(keys[name]) for name in pair}}
        page = client_of(make_user(Role.MANAGER)).get(reverse("reports:sla"), asked)
        of_pair = [row for row in told if all(row[name] == words[name] for name in pair)]

        assert list(csv.DictReader(StringIO(sent("sla_csv", asked)))) == of_pair
        assert page.context["whole"].row.received == len(of_pair) > 0


def test_days_that_are_none_are_refused() -> None:
    with pytest.raises(CommandError, match="ends before it starts"):
        report({"from": "2026-05-02", "to": "2026-05-01"})
    with pytest.raises(CommandError, match="2026-05-31"):
        report({"from": "yesterday", "to": "2026-05-01"})
