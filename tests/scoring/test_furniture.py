from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.accounts.enums import Role
from crm.common.criteria import compile_q, parse
from crm.common.slots import lead_views
from leads.enums import LifecycleStage
from leads.models import Lead
from leads.services import change_stage
from scoring.columns import Grade, load_scores
from scoring.models import LeadScore
from scoring.services import explain, mark_due
from tests.factories import NOW, client_of, make_lead, make_user
from tests.scoring.logs import document, log_act, publish_model, score_of, settle

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def scored_lead(downloads: int, at: Any = NOW, **fields: Any) -> Lead:
    lead = make_lead(**{"created_at": NOW - 9 * DAY, "country": "DE", **fields})
    for _ in range(downloads):
        log_act(lead.pk, "DOWNLOAD", at)
    mark_due(lead_ids=[lead.pk], now=NOW - 100 * DAY)
    settle()
    return lead


@pytest.fixture
def _model() -> None:
    publish_model()


@pytest.mark.usefixtures("_model")
def test_the_list_shows_the_cell_the_whole_number_and_the_week() -> None:
    lead = scored_lead(6, at=NOW - DAY)
    unscored = make_lead()
    scores = load_scores([lead.pk, unscored.pk], make_user(), NOW)
    definition = frozenset({"A1", "A2", "B1", "B2"})
    assert scores[lead.pk].grade == Grade("B2", definition, 56, 56)
    assert scores[unscored.pk].grade == Grade("", definition, None, None)
    assert [str(listed.grade) for listed in scores.values()] == ["B2 56", "Not evaluated"]


@pytest.mark.usefixtures("_model")
def test_a_lead_without_a_fit_shows_no_number() -> None:
    lead = scored_lead(6, country="")
    assert str(load_scores([lead.pk], make_user(), NOW)[lead.pk].grade) == "Not evaluated"


@pytest.mark.usefixtures("_model")
def test_the_list_shows_persona_and_expiry_of_those_who_have_one() -> None:
    lead = scored_lead(6)
    other = make_lead()
    scores = load_scores([lead.pk, other.pk], make_user(), NOW)
    assert scores[lead.pk].persona == "Maintenance lead"
    assert scores[lead.pk].drops_out_at == score_of(lead).drops_out_at
    assert (scores[other.pk].persona, scores[other.pk].drops_out_at) == ("", None)
    explained = explain(lead_id=lead.pk, as_of=NOW)
    assert explained.level_changes_at
    assert scores[lead.pk].level_changes_at == explained.level_changes_at


@pytest.mark.usefixtures("_model")
def test_the_export_has_the_expiry_in_the_zone_of_its_reader() -> None:
    lead = scored_lead(6)
    leaves_at = score_of(lead).drops_out_at
    assert leaves_at
    client = client_of(make_user(Role.MARKETER, time_zone="Asia/Tokyo"))

    response = client.get("/leads/export/?view=all&columns=expires")

    assert isinstance(response, StreamingHttpResponse)
    line = b"".join(response).decode().splitlines()[1]
    in_tokyo = leaves_at.astimezone(ZoneInfo("Asia/Tokyo")).isoformat(timespec="seconds")
    assert line.endswith(f",{in_tokyo}")


@pytest.mark.usefixtures("_model")
@pytest.mark.parametrize("count", [1, 5])
def test_a_column_costs_the_same_however_many_leads_it_shows(count: int) -> None:
    ids = [make_lead().pk for _ in range(count)]
    viewer = make_user()
    load_scores(ids, viewer, NOW)  # a process reads the document of a version once
    with CaptureQueriesContext(connection) as queries:
        load_scores(ids, viewer, NOW)
    assert len(queries) == 2


def found(tree: dict[str, Any]) -> list[int]:
    return sorted(Lead.objects.filter(compile_q(parse(tree), now=NOW)).values_list("pk", flat=True))


def is_(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.usefixtures("_model")
def test_criteria_ask_for_every_part_of_a_score() -> None:
    hot = scored_lead(6).pk
    cold = scored_lead(1, country="US").pk
    unknown = scored_lead(3, country="").pk
    never = make_lead().pk
    asked: Sequence[tuple[dict[str, Any], list[int]]] = [
        (is_("cell", "in", ["B2"]), [hot]),
        (is_("cell", "not_in", ["B2"]), [cold]),
        (is_("cell", "is_empty"), [unknown, never]),
        (is_("fit_grade", "in", ["B"]), [hot, cold]),
        (is_("level", "in", ["1", "2"]), [hot]),
        (is_("level", "not_in", ["1", "2"]), [cold, unknown]),
        (is_("fit", "at_least", 60), [hot]),
        (is_("engagement", "at_most", 30), [cold, unknown]),
        (is_("persona", "in", ["Maintenance lead"]), [hot, cold]),
        (is_("meets", "is", True), [hot]),
        (is_("meets", "is", False), [cold, unknown, never]),
        (is_("evaluated", "is", False), [unknown, never]),
        (is_("expires", "coming", "7d"), [hot]),
        (is_("expires", "coming", "24h"), []),
        (is_("level_changes", "coming", "7d"), [hot, unknown]),
        (is_("level_changes", "is_empty"), [cold, never]),
        (is_("disqualified_by", "is_set"), []),
    ]
    for tree, ids in asked:
        assert found(tree) == ids, tree


@pytest.mark.usefixtures("_model")
def test_the_shipped_views_find_the_hot_the_inside_and_the_expiring() -> None:
    inside = scored_lead(6)
    hot = scored_lead(6, country="", email="hot@example.com")
    handed = scored_lead(6, stage="MQL", stage_since=NOW)
    scored_lead(1)
    asked = {view.name: found(dict(view.tree)) for view in lead_views if view.name in
             {"hot", "inside", "expiring"}}  # fmt: skip
    assert asked == {
        "hot": [inside.pk, hot.pk],
        "inside": [inside.pk],
        "expiring": [inside.pk, handed.pk],
    }


@pytest.mark.usefixtures("_model")
def test_a_score_is_of_an_open_lead_as_long_as_its_stage_is() -> None:
    lead, handed = scored_lead(6), scored_lead(6, stage="MQL", stage_since=NOW)
    is_open, is_not = is_("open", "is", True), is_("open", "is", False)
    assert (found(is_open), found(is_not)) == ([lead.pk], [handed.pk])

    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.MQL, now=NOW, rule="By hand")
    change_stage(
        lead_id=handed.pk, to_stage=LifecycleStage.RECYCLED, now=NOW, actor=make_user(Role.MANAGER),
        reason="No timeline", override=True,
    )  # fmt: skip

    assert (found(is_open), found(is_not)) == ([handed.pk], [lead.pk])


def test_personas_without_a_model_are_none() -> None:
    make_lead()
    assert found(is_("persona", "in", ["Plant director"])) == []


@pytest.fixture
def marketer() -> Client:
    return client_of(make_user(Role.MARKETER))


@pytest.mark.usefixtures("_model")
def test_the_lead_page_shows_lines_that_add_up(marketer: Client) -> None:
    lead = scored_lead(1, at=NOW)
    page = marketer.get(f"/leads/{lead.pk}/score/?as_of=2026-05-12T09:00").content.decode()
    for words in ("B4", "Outside the MQL definition", "Download", "Sum of 1 line", "Neutral start"):
        assert words in page
    assert "<html" in page


@pytest.mark.usefixtures("_model")
def test_before_its_capture_there_is_no_score_of_a_lead(marketer: Client) -> None:
    lead = scored_lead(1, at=NOW)
    day_before = lead.created_at - DAY
    page = marketer.get(f"/leads/{lead.pk}/score/", {"as_of": f"{day_before:%Y-%m-%dT%H:%M}"})
    assert "Nothing to score yet: the lead was captured on" in page.content.decode()
    assert "MQL definition" not in page.content.decode()


@pytest.mark.usefixtures("_model")
def test_the_panel_of_a_recycled_lead_says_since_when_acts_count(marketer: Client) -> None:
    lead = scored_lead(1, at=NOW, stage=LifecycleStage.MQL)
    later = NOW + DAY
    change_stage(lead_id=lead.pk, to_stage=LifecycleStage.RECYCLED, now=later, reason="Later")
    page = marketer.get(f"/leads/{lead.pk}/score/").content.decode()
    assert "Recycled on 13 May 2026" in page
    assert "acts before then count no more" in page


@pytest.mark.usefixtures("_model")
def test_htmx_gets_the_panel_alone(marketer: Client) -> None:
    lead = scored_lead(1)
    answer = marketer.get(f"/leads/{lead.pk}/score/", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.content.decode().lstrip().startswith('<section class="panel-section" id="score"')


@pytest.mark.usefixtures("_model")
@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01T00:00", "0000-01-01", "'; --"])
def test_a_time_that_is_none_is_said_at_the_field(marketer: Client, moment: str) -> None:
    lead = scored_lead(1)
    answer = marketer.get(f"/leads/{lead.pk}/score/", {"as_of": moment})
    assert answer.status_code == 422
    assert "Give a date and a time" in answer.content.decode()


@pytest.mark.usefixtures("_model")
@pytest.mark.parametrize("moment", ["1970-01-01T00:00", "2200-01-01T00:00"])
def test_far_away_times_are_no_trouble(marketer: Client, moment: str) -> None:
    lead = scored_lead(1)
    assert marketer.get(f"/leads/{lead.pk}/score/", {"as_of": moment}).status_code == 200


@pytest.mark.usefixtures("_model")
@pytest.mark.parametrize("page", ["score", "score/course"])
def test_a_time_in_no_year_of_the_calendar_is_refused(marketer: Client, page: str) -> None:
    lead = scored_lead(1)
    answer = marketer.get(f"/leads/{lead.pk}/{page}/", {"as_of": "0001-01-01T00:00"})
    assert answer.status_code == (422 if page == "score" else 200)
    assert ("Give a time between 1900 and 2200." in answer.content.decode()) == (page == "score")


@pytest.mark.usefixtures("_model")
def test_a_score_is_shown_to_those_who_see_the_lead() -> None:
    lead = scored_lead(1)
    stranger = client_of(make_user(Role.REP))
    assert stranger.get(f"/leads/{lead.pk}/score/").status_code == 404
    Lead.objects.filter(pk=lead.pk).update(owner=make_user(Role.REP))
    assert stranger.get(f"/leads/{lead.pk}/score/").status_code == 404
    assert Client().get(f"/leads/{lead.pk}/score/").status_code == 302


@pytest.mark.usefixtures("_model")
def test_the_course_of_a_score_is_drawn_with_its_exit(marketer: Client) -> None:
    lead = scored_lead(6)
    picture = marketer.get(f"/leads/{lead.pk}/score/course/", {"as_of": "2026-05-12T09:00"})
    drawn = picture.content.decode()
    assert 'aria-label="Engagement 60 then, 0 on 3 May; below 50 from 15 May' in drawn
    assert drawn.count("<circle") == 2
    assert [mark for mark in ("3 May", "12 May", "1 Jun") if mark in drawn] == [
        "3 May", "12 May", "1 Jun"
    ]  # fmt: skip
    table = dict(re.findall(r'<th scope="row">([^<]+)</th><td class="num">(\d+)</td>', drawn))
    assert (table["3 May"], table["12 May"]) == ("0", "60")
    assert int(table["1 Jun, expected"]) < 50


@pytest.mark.usefixtures("_model")
def test_a_lead_that_did_nothing_has_no_picture(marketer: Client) -> None:
    lead = scored_lead(0)
    assert marketer.get(f"/leads/{lead.pk}/score/course/").content == b""


@pytest.mark.usefixtures("_model")
def test_a_course_is_shown_to_those_who_see_the_lead() -> None:
    lead = scored_lead(1)
    stranger = client_of(make_user(Role.REP))
    assert stranger.get(f"/leads/{lead.pk}/score/course/").status_code == 404


def test_without_a_model_there_is_no_panel_and_no_page(marketer: Client) -> None:
    lead = make_lead()
    assert marketer.get(f"/leads/{lead.pk}/score/course/").content == b""
    assert marketer.get(f"/leads/{lead.pk}/score/").status_code == 404
    page = marketer.get(f"/leads/{lead.pk}/").content.decode()
    assert 'id="score"' not in page


@pytest.mark.usefixtures("_model")
def test_what_people_wrote_is_text_in_the_panel(marketer: Client) -> None:
    script = "<script>alert(1)</script>"
    publish_model(
        document({"label": script, "match": {"kind": "DOWNLOAD"}, "points": 5}), now=NOW - 80 * DAY
    )
    lead = scored_lead(1)
    page = marketer.get(f"/leads/{lead.pk}/score/").content.decode()
    assert script not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.usefixtures("_model")
def test_the_lists_in_order_of_score_and_of_expiry_can_be_opened(marketer: Client) -> None:
    scored_lead(6)
    scored_lead(1)
    make_lead()
    for sort in ("grade", "expires", "level_changes"):
        answer = marketer.get("/leads/", {"view": "all", "sort": sort})
        assert answer.status_code == 200
        assert "B2" in answer.content.decode()
    assert LeadScore.objects.count() == 2
