from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from scoring.models import LeadScore, ScoringModel
from scoring.services import mark_due
from tests.factories import NOW, make_lead
from tests.scoring.logs import document, log_act, publish_model, score_of, settle

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def output_of(*command: str, **options: Any) -> str:
    out = StringIO()
    call_command(*command, stdout=out, stderr=out, **options)
    return out.getvalue()


def scored_leads(count: int = 3) -> list[int]:
    publish_model()
    ids = [make_lead(country="DE").pk for _ in range(count)]
    for lead_id in ids:
        log_act(lead_id, "DOWNLOAD", NOW - DAY)
    mark_due(lead_ids=ids, now=NOW)
    settle()
    LeadScore.objects.update(score_due_at=None)
    return ids


def test_stored_scores_that_agree_are_checked_silently() -> None:
    scored_leads()
    assert output_of("check_scores") == "3 scores checked, none differs\n"


@pytest.mark.parametrize(
    "wrong",
    [
        {"engagement_score": 9.2},
        {"engagement_level": 3},
        {"fit_score": 71},
        {"fit_grade": "A"},
        {"persona": "Plant director"},
        {"cell": "A4"},
        {"meets_definition": True},
        {"disqualified_by": "Country"},
        {"changes_at": None},
        {"drops_out_at": NOW},
        {"level_changes_at": NOW},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_stored_score_that_differs_is_named_and_fails(wrong: dict[str, Any]) -> None:
    [first, *_] = scored_leads()
    LeadScore.objects.filter(pk=first).update(**wrong)
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 3 scores differ from a recompute"):
        call_command("check_scores", stdout=out, stderr=out)
    assert out.getvalue().startswith(f"lead {first}: {next(iter(wrong))} is ")


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_lead_whose_score_got_lost_is_named_and_fails(is_stored: bool) -> None:
    publish_model()
    ScoringModel.objects.update(rescored_up_to=None)
    lead = make_lead()
    if is_stored:
        LeadScore.objects.create(lead=lead)
    with pytest.raises(CommandError, match=f"1 leads have no score and none is due: {lead.pk}"):
        call_command("check_scores")
    mark_due(lead_ids=[lead.pk], now=NOW)
    assert output_of("check_scores") == "0 scores checked, none differs\n"


def test_scores_that_a_renewal_still_owes_are_not_lost() -> None:
    publish_model()
    ScoringModel.objects.update(rescored_up_to=0)
    make_lead()
    assert output_of("check_scores") == "0 scores checked, none differs\n"


def test_scores_that_are_due_are_not_wrong() -> None:
    [first, *_] = scored_leads()
    LeadScore.objects.filter(pk=first).update(engagement_score=1, score_due_at=NOW)
    assert output_of("check_scores") == "2 scores checked, none differs\n"


def test_relative_dates_are_checked_as_of_when_they_were_asked() -> None:
    newcomers = {"field": "created", "op": "within", "value": "7d"}
    publish_model(document(disqualifiers=[{"reason": "New", "criteria": newcomers}]))
    lead = make_lead(created_at=NOW - 3 * DAY, stage="MQL", stage_since=NOW)
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    LeadScore.objects.update(score_due_at=None)
    assert score_of(lead).disqualified_by == "New"
    assert timezone.now() > NOW + 7 * DAY
    assert output_of("check_scores") == "1 scores checked, none differs\n"


def test_all_scores_are_computed_anew() -> None:
    [first, *_] = scored_leads()
    LeadScore.objects.update(engagement_score=99)
    assert output_of("rescore") == "3 scores renewed under Model v1\n"
    score = LeadScore.objects.get(pk=first)
    assert score.engagement_score is not None
    assert score.engagement_score < 10


def test_the_version_that_is_in_force_may_be_named() -> None:
    scored_leads()
    assert output_of("rescore", "--model", "1") == "3 scores renewed under Model v1\n"
    with pytest.raises(CommandError, match="Model v1 is in force, not v2"):
        call_command("rescore", "--model", "2")


def test_without_a_model_nothing_can_be_computed_anew() -> None:
    with pytest.raises(CommandError, match="No scoring model has been published yet"):
        call_command("rescore")


def test_a_score_is_explained_on_the_command_line() -> None:
    publish_model()
    lead = make_lead(country="DE", email="ines@example.com")
    log_act(lead.pk, "DOWNLOAD", NOW - DAY)
    told = output_of("explain_score", "Ines@example.com", as_of="2026-05-12T11:00+02:00")
    assert told == (
        f"{lead}, B4\n"
        "Model v1, as of 2026-05-12 09:00 UTC\n"
        "Outside the MQL definition. B2 is nearest and needs fit 50 and engagement 50.\n"
        "Engagement 9.3, level 4\n"
        "    +9.3  Download (10, yesterday, half-life 10 d)\n"
        "Fit 70.0, B, Maintenance lead\n"
        "   +50.0  Neutral start\n"
        "   +20.0  Germany\n"
        "No MQL on 12 May 2026. Outside the MQL definition:"
        " B2 is nearest and needs fit 50 and engagement 50.\n"
    )


def test_a_score_is_explained_as_json() -> None:
    publish_model()
    lead = make_lead(email="ines@example.com")
    log_act(lead.pk, "DOWNLOAD", NOW, received_at=NOW + DAY)
    told = json.loads(
        output_of("explain_score", "ines@example.com", "--json", as_of="2026-05-12 09:00")
    )
    assert (told["engagement_score"], told["acts_unknown"]) == (0.0, 1)
    known = json.loads(
        output_of(
            "explain_score", "ines@example.com", "--json",
            as_of="2026-05-12 09:00", known_at="2026-05-13 09:00",
        )
    )  # fmt: skip
    assert (known["engagement_score"], known["acts_unknown"]) == (10.0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody@example.com"], "There is no lead with the address 'nobody@example.com'"),
        (["ines@example.com", "--as-of", "yesterday"], "--as-of needs a time such as"),
        (["ines@example.com", "--known-at", ""], "--known-at needs a time such as"),
        (["ines@example.com"], "No scoring model has been published yet"),
    ],
)
def test_what_cannot_be_explained_is_said(arguments: list[str], message: str) -> None:
    make_lead(email="ines@example.com")
    with pytest.raises(CommandError, match=message):
        call_command("explain_score", *arguments)
