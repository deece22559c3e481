"""Points beside the acts of a timeline, asked for when it is shown."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from leads.gains import name_line, read_names, share_out
from tests.factories import NOW, client_of, make_lead, make_user
from tests.scoring.logs import document, log_act, publish_model

SECOND = timedelta(seconds=1)


def test_a_line_is_found_by_the_times_of_its_acts() -> None:
    moments = [NOW, NOW - SECOND, NOW - timedelta(microseconds=1)]

    assert read_names([name_line(moments)]) == {name_line(moments): moments}


@pytest.mark.parametrize("name", ["", "-", "1-", "x", "1.5", "9" * 17, "٣", "1" + "-1" * 200])
def test_what_names_no_line_is_left_out(name: str) -> None:
    assert read_names([name]) == {}


def test_acts_of_one_instant_share_their_points_and_nothing_is_told_of_nothing() -> None:
    lines = {"newest": [NOW], "run": [NOW, NOW - SECOND], "idle": [NOW - 2 * SECOND]}
    earned = {NOW: Decimal(5), NOW - SECOND: Decimal(3), NOW - 2 * SECOND: Decimal(0)}

    assert share_out(lines, earned) == {"newest": Decimal(5), "run": Decimal(3)}


@pytest.mark.django_db
def test_the_page_asks_for_the_points_of_its_lines_and_gets_them() -> None:
    publish_model(document())
    lead = make_lead(created_at=NOW - timedelta(days=9))
    log_act(lead.pk, "DOWNLOAD", NOW - 2 * SECOND)
    log_act(lead.pk, "PAGE_VIEW", NOW - SECOND)
    client = client_of(make_user(Role.MARKETER))
    named = [name_line([NOW - SECOND]), name_line([NOW - 2 * SECOND])]
    address = reverse("leads:gains", args=[lead.pk])

    page = client.get(reverse("leads:detail", args=[lead.pk])).content.decode()
    answer = client.get(address, {"line": named}).content.decode()

    assert f'hx-get="{address}?line={named[0]}&amp;line={named[1]}"' in page
    assert [f'id="gain-{name}"' in page for name in named] == [True, True]
    assert [f'id="gain-{name}"' in answer for name in named] == [False, True]
    assert "added to the score, by scoring model v1" in answer
    assert ">+10.0</span>" in answer
