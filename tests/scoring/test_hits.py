from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scoring.definition import Definition, parse_definition, read_definition
from scoring.editor.address import EditorAddress
from scoring.editor.page import editor_page
from scoring.services.hits import LATELY, Hits, count_rule_hits, known_hits, rule_hits
from tests.factories import NOW, make_lead, make_user
from tests.scoring.drafts import make_draft
from tests.scoring.logs import document, log_act, make_asset, publish_model

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
DOWNLOAD = {"label": "Download", "match": {"kind": "DOWNLOAD"}, "points": 10}
TWICE = {
    "label": "Two pages",
    "match": {"kind": "PAGE_VIEW"},
    "points": 5,
    "repeat": {"times": 2, "days": 7, "different_assets": True},
}


def hits_of(*rules: dict[str, object]) -> dict[str, Hits]:
    return rule_hits(model_of(*rules), since=NOW - LATELY, now=NOW)


def model_of(*rules: dict[str, object]) -> Definition:
    return parse_definition(document(*rules))


def test_acts_and_the_leads_that_did_them_are_counted() -> None:
    one, other = make_lead(), make_lead()
    for lead in (one, one, other):
        log_act(lead.pk, "DOWNLOAD", NOW - DAY)
    assert hits_of(DOWNLOAD) == {"Download": Hits(acts=3, leads=2)}


def test_only_human_acts_of_the_period_count() -> None:
    lead = make_lead()
    log_act(lead.pk, "DOWNLOAD", NOW - LATELY)
    log_act(lead.pk, "DOWNLOAD", NOW + DAY)
    log_act(lead.pk, "DOWNLOAD", NOW - DAY, is_human=False)
    log_act(lead.pk, "PAGE_VIEW", NOW - DAY)
    assert hits_of(DOWNLOAD)["Download"].is_dead


def test_what_must_be_done_often_counts_the_leads_that_did() -> None:
    make_asset("one")
    make_asset("two")
    both, twice = make_lead(), make_lead()
    for lead, assets in ((both, ("one", "two")), (twice, ("one", "one"))):
        for asset in assets:
            log_act(lead.pk, "PAGE_VIEW", NOW - DAY, asset=asset)
    assert hits_of(TWICE, DOWNLOAD) == {"Two pages": Hits(4, 1), "Download": Hits(0, 0)}


def test_counting_again_reads_what_was_kept_and_only_new_rules_are_counted() -> None:
    log_act(make_lead().pk, "DOWNLOAD", NOW - DAY)
    hits_of(DOWNLOAD)
    log_act(make_lead().pk, "DOWNLOAD", NOW - DAY)
    renamed = {**DOWNLOAD, "label": "Any download", "points": 3}
    with CaptureQueriesContext(connection) as queries:
        found = hits_of(renamed)
    assert found == {"Any download": Hits(1, 1)}
    assert [query for query in queries if "engagement_event" in query["sql"]] == []
    assert hits_of(renamed, TWICE)["Two pages"] == Hits(0, 0)


def test_what_is_known_is_told_without_counting() -> None:
    model = publish_model(document(DOWNLOAD))
    log_act(make_lead().pk, "DOWNLOAD", NOW - DAY)
    asked = {"since": NOW - LATELY, "now": NOW}
    before = known_hits(model_of(DOWNLOAD), **asked)
    count_rule_hits(model_id=model.pk, now=NOW)
    assert (before, known_hits(model_of(DOWNLOAD), **asked)) == ({}, {"Download": Hits(1, 1)})


def test_the_good_rules_of_a_faulty_draft_are_counted() -> None:
    faulty = {"label": "Typo", "match": {"kind": "DOWNLAOD"}, "points": 10}
    draft = make_draft(document(DOWNLOAD, faulty))
    log_act(make_lead().pk, "DOWNLOAD", NOW - DAY)
    count_rule_hits(model_id=draft.pk, now=NOW)
    shown, problems = read_definition(draft.definition)
    known = known_hits(shown, since=NOW - LATELY, now=NOW)
    assert problems
    assert known == {"Download": Hits(1, 1)}
    page = editor_page(draft, EditorAddress(draft.version), viewer=make_user(), now=NOW)
    assert not page.owes_hits
