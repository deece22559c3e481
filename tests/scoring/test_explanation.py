from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm.accounts.enums import Role
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import change_stage, create_lead, update_lead
from scoring.explanation import Line
from scoring.presets import default_definition
from scoring.services import NoModel, explain, why_mql
from scoring.services.course import score_course
from tests.factories import NOW, client_of, make_lead, make_user
from tests.scoring.logs import document, force_model, log_act, make_asset, publish_model, settle
from tests.scoring.test_qualification import download, stage_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def points(value: str) -> Decimal:
    return Decimal(value)


def test_a_line_says_how_it_came_about() -> None:
    publish_model()
    lead = make_lead(country="DE")
    log_act(lead.pk, "DOWNLOAD", NOW - DAY)
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert told.engagement_lines == (
        Line("Download", points("9.3"), "10, yesterday, half-life 10 d", group="Acts"),
    )


def test_repeats_caps_and_ways_of_counting_are_told() -> None:
    rules: list[dict[str, Any]] = [
        {"label": "Pricing page", "match": {"kind": "PAGE_VIEW"}, "points": 8, "cap": 20},
        {"label": "Guide", "match": {"kind": "DOWNLOAD"}, "points": 5, "once_per_asset": True},
        {"label": "Missed", "match": {"kind": "WEBINAR_NO_SHOW"}, "points": -2.5},
        {"label": "Newsletter", "match": {"kind": "NEWSLETTER_SIGNUP"}, "points": 4},
    ]
    publish_model(document(*rules))
    lead = make_lead()
    for slug in ("guide", "case"):
        make_asset(slug)
        log_act(lead.pk, "DOWNLOAD", NOW - DAY, asset=slug)
        log_act(lead.pk, "DOWNLOAD", NOW - 3 * DAY, asset=slug)
    for _ in range(3):
        log_act(lead.pk, "PAGE_VIEW", NOW)
    log_act(lead.pk, "WEBINAR_NO_SHOW", NOW - 5 * DAY)
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert told.engagement_lines == (
        Line("Pricing page, 3 times", points("20.0"), "8 each, last today, cap 20 reached", "Acts"),
        Line("Guide, 2 times", points("10.0"), "5 each, once per asset, last yesterday", "Acts"),
        Line("Missed", points("-2.5"), "-2.5, 5 days ago", "Acts"),
    )
    assert told.engagement_score == sum(line.points for line in told.engagement_lines)


def test_what_a_group_limits_is_a_line_of_its_own_so_that_lines_add_up() -> None:
    rule = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 10}
    limited = document(rule)
    limited["engagement"]["groups"][0]["cap"] = 25
    publish_model(limited)
    lead = make_lead()
    download(lead, times=3)
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert told.engagement_lines[-1] == Line(
        "Over the limit of 25 for Acts", points("-5.0"), group="Acts"
    )
    assert told.engagement_score == 25 == sum(line.points for line in told.engagement_lines)


def test_a_score_is_never_below_0_and_a_line_says_so() -> None:
    rule = {"label": "Missed", "match": {"kind": "WEBINAR_NO_SHOW"}, "points": -10}
    negative = document(rule)
    negative["engagement"]["groups"][0]["floor"] = -8
    publish_model(negative)
    lead = make_lead()
    log_act(lead.pk, "WEBINAR_NO_SHOW", NOW)
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert [(line.text, line.points) for line in told.engagement_lines] == [
        ("Missed", points("-10.0")),
        ("Under the limit of -8 for Acts", points("2.0")),
        ("Engagement is never under 0", points("8.0")),
    ]
    assert told.engagement_score == 0


def fit_model(*rules: tuple[str, str, float]) -> dict[str, Any]:
    """Return a model with one persona of title rules ``(label, word, points)``, and Germany."""
    whole = document()
    whole["fit"]["personas"][0]["rules"] += [
        {
            "label": label,
            "criteria": {"field": "title", "op": "contains", "value": word},
            "points": worth,
        }
        for label, word, worth in rules
    ]
    return whole


def test_fit_starts_neutral_and_names_what_is_not_known_and_what_is_missing() -> None:
    publish_model(fit_model(("Buyer", "buyer", 10), ("Student", "student", -30)))
    known = make_lead(country="US", title="Head buyer")
    told = explain(lead_id=known.pk, as_of=NOW)
    assert told.fit_lines == (Line("Neutral start", points("50.0")), Line("Buyer", points("10.0")))
    assert (told.fit_score, told.gaps) == (points("60"), ("Germany",))

    unknown = make_lead(country="DE", title="")
    told = explain(lead_id=unknown.pk, as_of=NOW)
    assert told.fit_lines[1:] == (
        Line("Germany", points("20.0")),
        Line("Buyer: unknown", points("0"), is_known=False),
        Line("Student: unknown", points("0"), is_known=False),
    )
    assert (told.fit_score, told.gaps) == (points("70"), ("Buyer",))


def test_a_fit_beyond_its_scale_is_limited_by_a_line() -> None:
    publish_model(fit_model(("Buyer", "buyer", 45)))
    lead = make_lead(country="DE", title="Buyer")
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert told.fit_lines[-1] == Line("Fit is never over 100", points("-15.0"))
    assert told.fit_score == 100 == sum(line.points for line in told.fit_lines)


def test_without_any_knowledge_there_is_no_fit_and_no_cell() -> None:
    publish_model()
    told = explain(lead_id=make_lead(country="").pk, as_of=NOW)
    assert (told.fit_score, told.fit_grade, told.cell, told.fit_lines) == (None, "", "", ())
    assert told.needs == "No grade while nothing is known of its fit"


def test_where_a_lead_stands_is_told_with_what_it_needs() -> None:
    publish_model()
    lead = make_lead(country="DE")
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert (told.standing, told.needs) == (
        "Outside the MQL definition", "B2 is nearest and needs fit 50 and engagement 50"
    )  # fmt: skip
    download(lead, times=6)
    told = explain(lead_id=lead.pk, as_of=NOW)
    assert (told.standing, told.needs) == (
        "Inside the MQL definition", "B2 needs fit 50 and engagement 50"
    )  # fmt: skip
    assert told.drops_out_at == NOW + timedelta(minutes=3809)


def test_an_explanation_is_as_of_its_time_and_under_the_model_of_that_time() -> None:
    lead = create_lead(now=NOW, email="ines@example.com", country="US")
    publish_model()
    double = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 20}
    download(lead, at=NOW)
    force_model(document(double), now=NOW + DAY)
    update_lead(lead_id=lead.pk, now=NOW + DAY, country="DE")
    download(lead, at=NOW + 2 * DAY)

    then = explain(lead_id=lead.pk, as_of=NOW)
    now = explain(lead_id=lead.pk, as_of=NOW + 2 * DAY)
    assert (then.model_version, then.engagement_score) == (1, points("10"))
    assert (now.model_version, now.engagement_score) == (2, points("40"))
    assert then.fit_score == 50
    assert now.fit_score == 70


def test_what_was_not_known_then_does_not_count_and_is_counted() -> None:
    publish_model()
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW)
    log_act(lead.pk, "DOWNLOAD", NOW, received_at=NOW + DAY)
    then = explain(lead_id=lead.pk, as_of=NOW)
    later = explain(lead_id=lead.pk, as_of=NOW, known_at=NOW + DAY)
    assert (then.engagement_score, then.acts_unknown) == (points("10"), 1)
    assert (later.engagement_score, later.acts_unknown) == (points("20"), 0)


def test_without_a_model_there_is_nothing_to_explain() -> None:
    with pytest.raises(NoModel):
        explain(lead_id=make_lead().pk, as_of=NOW)


def test_an_mql_that_a_person_made_names_the_rule_and_the_person() -> None:
    publish_model()
    lead, mira = make_lead(), make_user(full_name="Mira Okafor")
    change_stage(
        lead_id=lead.pk, to_stage=LifecycleStage.MQL, now=NOW, actor=mira, rule="Released in a wave"
    )

    told = why_mql(lead_id=lead.pk, moment=NOW)

    assert told.startswith("MQL since 12 May 2026: released in a wave by Mira Okafor. Then ")


def test_why_a_lead_was_an_mql_is_one_answer() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    settle()
    assert why_mql(lead_id=lead.pk, moment=NOW + DAY) == (
        "MQL since 12 May 2026: cell B2 is in the definition, model v1."
        " Then fit 70.0 (B, Maintenance lead) and engagement 60.0 (level 2),"
        " mostly Download, 6 times (+60.0)."
    )
    assert why_mql(lead_id=lead.pk, moment=NOW - DAY) == (
        "No MQL on 11 May 2026. Outside the MQL definition:"
        " B2 is nearest and needs fit 50 and engagement 50."
    )


def test_a_recycled_lead_is_no_mql_of_its_former_cycle() -> None:
    publish_model()
    lead: Lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    settle()
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.RECYCLED, now=NOW + DAY, reason="Later")
    assert stage_of(lead).cycle == 2
    assert why_mql(lead_id=lead.pk, moment=NOW + DAY).startswith("No MQL on 13 May 2026.")


def test_of_a_recycled_lead_it_is_told_since_when_acts_count() -> None:
    publish_model()
    lead: Lead = make_lead(created_at=NOW - DAY, stage=LifecycleStage.MQL)
    download(lead)
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.RECYCLED, now=NOW + DAY, reason="Later")

    before = explain(lead_id=lead.pk, as_of=NOW)
    after = explain(lead_id=lead.pk, as_of=NOW + 2 * DAY)

    assert before.engagement_lines
    assert before.counts_from is None
    assert (after.engagement_lines, after.counts_from) == ((), NOW + DAY)


def test_the_course_of_a_score_ends_now_and_goes_on_from_there() -> None:
    model = publish_model()
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW - 2 * DAY)
    course = score_course(model, lead_id=lead.pk, now=NOW, back=9 * DAY, ahead=20 * DAY)
    assert course.past[0] == (NOW - 9 * DAY, 0.0)
    assert course.past[-1] == (NOW, 8.7)
    assert course.ahead[0] == (NOW + DAY, 8.1)
    assert course.ahead[-1] == (NOW + 20 * DAY, 2.2)


def test_an_explanation_is_plain_json() -> None:
    publish_model(default_definition())
    lead = make_lead(country="DE", title="Head of maintenance")
    download(lead)
    told = explain(lead_id=lead.pk, as_of=NOW).as_json()
    assert told["as_of"] == "2026-05-12T09:00:00+00:00"
    assert told["definition"] == ["A1", "A2", "A3", "B1", "B2", "C1"]
    assert told["fit_lines"][0] == {
        "text": "Neutral start", "points": 50.0, "how": "", "group": "", "is_known": True,
        "rule": "",
    }  # fmt: skip


def test_the_page_says_in_a_sentence_why_a_lead_was_an_mql() -> None:
    publish_model()
    lead = make_lead(country="DE", created_at=NOW - DAY)
    download(lead, times=6)
    settle()
    client, address = client_of(make_user(Role.MARKETER)), f"/leads/{lead.pk}/score/"

    then = client.get(address, {"as_of": "2026-05-12T12:00"}).content.decode()
    before = client.get(address, {"as_of": "2026-05-12T08:00"}).content.decode()

    assert "MQL since 12 May 2026: cell B2 is in the definition, model v1." in then
    assert "MQL since" not in before
