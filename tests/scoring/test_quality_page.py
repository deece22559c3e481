from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import change_stage
from scoring.definition import parse_definition
from scoring.lift import Lift
from scoring.models import QualityReport, ScoringModel
from scoring.quality.page import CSV_HEADER
from scoring.quality.proposals import with_suggestion
from scoring.quality.results import Suggestion
from scoring.services import measure_quality
from tests.factories import NOW, client_of, make_lead, make_user
from tests.scoring.logs import document, log_act, publish_model
from tests.scoring.planted import GOOD_ACT, plant

pytestmark = pytest.mark.django_db

S = LifecycleStage


def suggestion(**fields: Any) -> Suggestion:
    return Suggestion(
        **{
            "points": 70, "of": "MQLs", "to": "SQL", "reached": 30, "total": 50,
            "reached_without": 20, "total_without": 100, "lift": Lift(3, 2, 4), "match": None,
            "criteria": None, **fields,
        }
    )  # fmt: skip


def test_the_page_says_what_contradicts_its_points_and_opens_a_draft_with_a_suggestion() -> None:
    report = plant(3)
    browser = client_of(make_user(Role.MARKETER))

    page = browser.get(reverse("scoring:quality")).content.decode()
    sent = browser.post(reverse("scoring:quality_draft", args=[report.pk, _place(report)]))

    assert page.count("Against its points") == 1
    assert "+8 points, but leads it applied to became SQL less often" in page
    draft = ScoringModel.objects.drafts().get()
    assert sent.headers["Location"] == reverse("scoring:version", args=[draft.version])
    labels = [rule.label for rule in parse_definition(draft.definition).rules]
    assert labels[-1] == f"Custom event: {GOOD_ACT}"
    assert draft.based_on == report.model


def _place(report: QualityReport) -> int:
    assert report.results is not None
    names = [(each["match"] or {}).get("name") for each in report.results["suggestions"]]
    return names.index(GOOD_ACT)


def make_sql(country: str) -> Lead:
    lead = make_lead(created_at=NOW, country=country)
    for stage in (S.MQL, S.SAL, S.SQL):
        change_stage(lead_id=lead.pk, to_stage=stage, now=NOW)
    return lead


def test_a_figure_opens_the_leads_that_it_counts_and_the_csv_has_the_rows() -> None:
    publish_model()
    german = make_sql("DE")
    austrian = make_sql("AT")
    log_act(german.pk, "DOWNLOAD")
    measure_quality(now=NOW)
    report = QualityReport.objects.get()
    browser = client_of(make_user(Role.MANAGER))

    page = browser.get(reverse("scoring:quality"), {"sort": "points"}).content.decode()
    url = f"{reverse('leads:list')}?f=rule_quality.is.{report.pk}:1:SQL"
    counted = browser.get(url).content.decode()
    sent = browser.get(reverse("scoring:quality_csv"), {"sort": "points"})

    assert url.replace(":", "%3A") in page
    assert (str(german) in counted, str(austrian) in counted) == (True, False)
    rows = list(csv.DictReader(StringIO(b"".join(sent).decode())))
    assert tuple(rows[0]) == CSV_HEADER
    assert [(row["rule"], row["mqls"], row["mqls_without"]) for row in rows] == [
        ("Germany", "1", "1"), ("Download", "1", "1"),
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["", "1:2", "1:2:WHAT", "a:b:SQL", "²:1:SQL", "1:99999:SQL"])
def test_a_figure_that_does_not_exist_is_refused(code: str) -> None:
    browser = client_of(make_user(Role.MARKETER))
    page = browser.get(reverse("leads:list"), {"f": f"rule_quality.is.{code}"})
    assert page.status_code == 400


def test_asking_to_measure_waits_for_the_background() -> None:
    model = publish_model()
    browser = client_of(make_user(Role.ADMIN))
    browser.post(reverse("scoring:quality_measure"))
    assert QualityReport.objects.waiting().get().model == model
    assert "being measured" in browser.get(reverse("scoring:quality")).content.decode()


def test_measuring_that_failed_is_told() -> None:
    model = publish_model()
    QualityReport.objects.create(
        model=model, requested_at=NOW, finished_at=NOW, error="It never finished."
    )
    page = client_of(make_user(Role.MANAGER)).get(reverse("scoring:quality"))
    assert "failed. It never finished." in page.content.decode()


def test_a_suggestion_that_was_measured_anew_since_opens_nothing() -> None:
    publish_model()
    browser = client_of(make_user(Role.MARKETER))
    sent = browser.post(reverse("scoring:quality_draft", args=[77, 0]), follow=True)
    assert "Rule quality was measured anew meanwhile" in sent.content.decode()
    assert not ScoringModel.objects.drafts().exists()


def test_a_suggested_act_joins_the_group_that_knows_its_kind() -> None:
    changed = with_suggestion(
        document(), suggestion(match={"kind": "DOWNLOAD", "funnel_stage": "BOFU"})
    )
    rule = parse_definition(changed).rules[-1]
    assert (rule.label, rule.points, rule.cap) == ("Downloaded: bottom of funnel", 70, 70)


def test_a_suggested_attribute_joins_every_persona() -> None:
    criteria = {"field": "title", "op": "contains", "value": "head"}
    changed = parse_definition(
        with_suggestion(document(), suggestion(criteria=criteria, points=-30))
    )
    [persona] = changed.personas
    assert [(rule.label, rule.points) for rule in persona.rules][1:] == [
        ("Title contains head", -30)
    ]


def test_a_label_that_is_taken_gets_a_number() -> None:
    found = suggestion(match={"kind": "DOWNLOAD"})
    twice = with_suggestion(with_suggestion(document(), found), found)
    assert [rule.label for rule in parse_definition(twice).rules][1:] == [
        "Downloaded", "Downloaded 2",
    ]  # fmt: skip
