"""Hours and promises fit each other: no handing over stops because a clock finds no end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm.accounts.enums import Role
from handoff.enums import Side
from handoff.models import WorkCalendar
from handoff.services import (
    AgreementInvalid,
    CalendarInvalid,
    SignatureRefused,
    TierTerms,
    draft_agreement,
    revise_draft,
    sign_agreement,
)
from tests.factories import NOW, make_user
from tests.handoff.factories import (
    ANY_LEAD,
    make_agreement,
    make_calendar,
    make_handoff,
    make_scoring_model,
)

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=366)
NO_WEEK: dict[str, Any] = {"timezone": "Europe/Berlin", "weekly": {}}
ONE_DAY = {**NO_WEEK, "exceptions": {"2026-06-01": [["09:00", "17:00"]]}}
AN_HOUR_A_WEEK = {**NO_WEEK, "weekly": {"mon": [["09:00", "10:00"]]}}
LONG = TierTerms(name="Patient", accept_within=YEAR, first_touch_within=YEAR, verdict_within=YEAR)


def test_a_calendar_that_ends_before_the_default_policy_does_is_refused() -> None:
    make_calendar()
    with pytest.raises(CalendarInvalid, match="opens too little for the 40 h of the default"):
        make_calendar(definition=ONE_DAY)
    assert WorkCalendar.objects.get().definition["weekly"]
    make_handoff()


def test_what_is_agreed_decides_how_much_a_calendar_has_to_open() -> None:
    make_agreement(ANY_LEAD, escalate_after=timedelta(hours=1))
    with pytest.raises(CalendarInvalid, match="too little for the 19 h of tier Everything else"):
        make_calendar(definition=ONE_DAY)
    two_days = ONE_DAY["exceptions"] | {f"2026-06-0{day}": [["09:00", "17:00"]] for day in (2, 3)}
    assert make_calendar(definition={**NO_WEEK, "exceptions": two_days})


def test_no_draft_promises_more_than_a_calendar_ever_opens() -> None:
    make_calendar(definition=AN_HOUR_A_WEEK)
    draft = draft_agreement(scoring_model=make_scoring_model(), tiers=[ANY_LEAD], now=NOW)
    arguments: dict[str, Any] = {"agreement_id": draft.pk, "revision": draft.revision, "now": NOW}
    with pytest.raises(AgreementInvalid, match="Berlin default opens too little"):
        revise_draft(**arguments, tiers=[LONG], escalate_after=YEAR)
    assert revise_draft(**arguments, tiers=[ANY_LEAD]).tiers.get().name == "Everything else"


def test_nor_is_it_signed_when_the_hours_became_fewer_since() -> None:
    draft = draft_agreement(
        scoring_model=make_scoring_model(), tiers=[LONG], now=NOW, escalate_after=YEAR
    )
    make_calendar(definition=AN_HOUR_A_WEEK)
    with pytest.raises(SignatureRefused, match="Berlin default opens too little"):
        sign_agreement(
            agreement_id=draft.pk, signer=make_user(Role.MARKETER), side=Side.MARKETING, now=NOW
        )
