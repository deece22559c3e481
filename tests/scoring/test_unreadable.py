"""Published models whose criteria ask for an attribute that is gone."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from crm.accounts.enums import Role
from leads.enums import AttributeType
from leads.models import LeadAttribute
from scoring.definition import DefinitionInvalid
from scoring.services import create_draft, explain, mark_due, publish, renew_scores, start_renewal
from tests.factories import NOW, client_of, make_lead, make_user
from tests.scoring.logs import document, force_model, publish_model, score_of, settle

pytestmark = pytest.mark.django_db

SMALL = {"field": "attr_size", "op": "is", "value": "small"}
GERMAN = {"field": "country", "op": "in", "value": ["DE"]}
GONE = "there is no field 'attr_size'"


def size() -> LeadAttribute:
    return LeadAttribute.objects.create(name="size", label="Size", type=AttributeType.TEXT)


def asking_for_size() -> dict[str, Any]:
    """Return a model that asks for the size of a firm wherever criteria can stand."""
    rules = [
        {"label": "Germany", "criteria": GERMAN, "points": 20},
        {"label": "Small firm", "criteria": {"not": SMALL}, "points": 10},
    ]
    lookers = [{"label": "Small", "criteria": SMALL, "points": 20}]
    fit = document()["fit"] | {
        "personas": [
            {"name": "Maintenance lead", "rules": rules},
            {"name": "Onlooker", "rules": lookers},
        ]
    }
    mql = document()["mql"] | {"blocking": [{"label": "Too small", "criteria": {"not": SMALL}}]}
    barring = [{"reason": "Small", "criteria": SMALL}]
    return document(fit=fit, mql=mql, disqualifiers=barring)


def test_a_rule_that_asks_for_an_attribute_that_is_gone_counts_nothing_and_bars_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Red when published documents are read as drafts are: nothing is scored any more."""
    attribute = size()
    publish_model(asking_for_size())
    attribute.delete()
    lead = make_lead(country="DE")
    mark_due(lead_ids=[lead.pk], now=NOW)

    settle()

    score = score_of(lead)
    assert score.fit_score == 70
    assert (score.persona, score.disqualified_by) == ("Maintenance lead", "")
    assert f"disqualifiers[0].criteria.field {GONE}" in caplog.text


def test_whoever_asks_is_told_which_rules_count_nothing() -> None:
    attribute = size()
    publish_model(asking_for_size())
    attribute.delete()
    lead = make_lead(country="DE", email="ines@example.com")
    out = StringIO()

    told = explain(lead_id=lead.pk, as_of=NOW)
    call_command("explain_score", "ines@example.com", "--as-of", NOW.isoformat(), stdout=out)

    assert told.unreadable == (
        f"fit.personas[0].rules[1].criteria.not.field {GONE}",
        f"fit.personas[1].rules[0].criteria.field {GONE}",
        f"mql.blocking[0].criteria.not.field {GONE}",
        f"disqualifiers[0].criteria.field {GONE}",
    )
    assert [line.text for line in told.fit_lines if not line.is_known] == ["Small firm: unknown"]
    assert f"Counts nothing: disqualifiers[0].criteria.field {GONE}" in out.getvalue()


@pytest.mark.parametrize("address", ["/leads/?view=all", "/leads/{}/"])
def test_pages_stay_up_when_an_attribute_is_gone(address: str) -> None:
    attribute = size()
    publish_model(asking_for_size())
    attribute.delete()
    lead = make_lead(country="DE")

    assert client_of(make_user(Role.MARKETER)).get(address.format(lead.pk)).status_code == 200


def test_all_scores_can_be_renewed_when_an_attribute_is_gone() -> None:
    attribute = size()
    publish_model(asking_for_size())
    attribute.delete()
    lead = make_lead(country="DE")
    start_renewal()

    renew_scores(now=NOW)

    assert score_of(lead).fit_score == 70


def test_a_rule_counts_again_once_its_attribute_is_declared_again() -> None:
    """Red when a model that was read in part is kept: until every process is restarted."""
    attribute = size()
    publish_model(asking_for_size())
    attribute.delete()
    lead = make_lead(country="DE", attributes={"size": "small"})
    mark_due(lead_ids=[lead.pk], now=NOW)
    settle()
    assert score_of(lead).disqualified_by == ""

    size()
    mark_due(lead_ids=[lead.pk], now=NOW + timedelta(days=1))
    settle(NOW + timedelta(days=1))

    assert score_of(lead).disqualified_by == "Small"


def test_a_draft_that_asks_for_an_attribute_that_is_gone_is_refused() -> None:
    attribute = size()
    force_model(asking_for_size(), now=NOW)
    attribute.delete()
    again = create_draft(definition=asking_for_size(), now=NOW)

    with pytest.raises(DefinitionInvalid, match="disqualifiers"):
        publish(model_id=again.pk, now=NOW + timedelta(hours=1))
