"""The scoring editor through the test client: who sees what, what is kept, what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from crm.accounts.models import User
from scoring.models import ScoringModel
from scoring.services import change_draft, published_model, start_draft
from tests.factories import NOW, client_of, make_lead, make_user
from tests.scoring.logs import document, log_act, publish_model

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"


def two_rules() -> dict[str, Any]:
    """Return a model with two rules in one group."""
    return document(
        {"label": "Guide", "points": 10, "match": {"kind": "DOWNLOAD"}},
        {"label": "Page", "points": 2, "cap": 8, "match": {"kind": "PAGE_VIEW"}},
    )


@pytest.fixture
def author() -> User:
    return make_user(Role.MARKETER, full_name="Mira Feldkamp")


@pytest.fixture
def draft(author: User) -> ScoringModel:
    publish_model(two_rules())
    return start_draft(actor=author, now=NOW)


def post(client: Client, draft: ScoringModel, name: str = "part_save", /, **said: Any) -> Any:
    """Send a form of the editor as htmx does."""
    kind = said.pop("kind_of_section", None)
    url = reverse(f"scoring:{name}", args=[draft.version, *([kind] if kind else [])])
    sent = {"revision": draft.revision, "section": "group-0", **said}
    return client.post(url, sent, headers={"HX-Request": "true"})


def as_typed(**changes: str) -> dict[str, str]:
    """Return the form of the rule "Guide" as it is filled in."""
    return {"open": "0", "label": "Guide", "kind": "DOWNLOAD", "points": "10", **changes}


def rules_of(draft: ScoringModel) -> list[dict[str, Any]]:
    draft.refresh_from_db()
    found: list[dict[str, Any]] = draft.definition["engagement"]["groups"][0]["rules"]
    return found


def test_the_newest_draft_of_ones_own_opens_else_the_model_in_force(
    author: User, draft: ScoringModel
) -> None:
    own = client_of(author).get("/scoring/")
    others = client_of(make_user(Role.MANAGER)).get("/scoring/")

    assert own["Location"] == f"/scoring/{draft.version}/"
    assert others["Location"] == f"/scoring/{draft.version - 1}/"


def test_rules_are_sentences_and_what_differs_is_said(author: User, draft: ScoringModel) -> None:
    answer = post(client_of(author), draft, **as_typed(points="12"))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "was +10" in page
    assert "1 rule differs from v1." in page
    assert "Downloads" in page
    assert rules_of(draft)[0] == {"label": "Guide", "points": 12, "match": {"kind": "DOWNLOAD"}}


def test_a_fault_stands_beside_its_field_and_the_draft_keeps_what_was_typed(
    author: User, draft: ScoringModel
) -> None:
    answer = post(client_of(author), draft, **as_typed(points="many", half_life_days="0"))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Must be a number." in page
    assert "Must be 1 to 3650 days" in page
    assert 'value="many"' in page
    assert rules_of(draft)[0]["points"] == "many"
    again = client_of(author).get(f"/scoring/{draft.version}/?section=group-0").content.decode()
    assert "2 faults" in again
    assert "Must be a number" in again


def test_a_form_without_scripts_is_a_page_and_leads_back(author: User, draft: ScoringModel) -> None:
    client = client_of(author)
    opened = client.get(f"/scoring/{draft.version}/?section=group-0&open=1")
    url = reverse("scoring:part_save", args=[draft.version])
    sent = as_typed(open="1", label="Page", kind="PAGE_VIEW", points="3")

    answer = client.post(url, {"revision": draft.revision, "section": "group-0", **sent})

    assert 'name="points" value="2"' in opened.content.decode()
    assert answer["Location"] == f"/scoring/{draft.version}/?section=group-0"
    assert rules_of(draft)[1]["points"] == 3


def test_what_opened_a_form_gets_the_focus_back_when_it_closes(
    author: User, draft: ScoringModel
) -> None:
    url = f"/scoring/{draft.version}/"
    browser = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{url}?open=1"}

    closed = client_of(author).get(url, headers=browser)
    still_open = client_of(author).get(f"{url}?open=1", headers=browser)

    assert 'data-refocus="to-rule-1"' in closed.content.decode()
    assert 'data-refocus=""' in still_open.content.decode()
    assert (closed.headers["HX-Push-Url"], "HX-Push-Url" in still_open.headers) == (url, False)


def test_of_two_editors_the_second_is_told_and_loses_nothing(
    author: User, draft: ScoringModel
) -> None:
    second = client_of(make_user(Role.ADMIN))
    opened = second.get(f"/scoring/{draft.version}/?section=group-0&open=1").context["page"]
    post(client_of(author), draft, **as_typed(points="12"))

    sent = as_typed(open="1", label="Page", kind="PAGE_VIEW", points="5", read=opened.read_token)
    refused = post(second, draft, **sent)

    page = refused.content.decode()
    assert refused.status_code == 422
    assert "Mira Feldkamp changed Model v2" in page
    assert "+12, was +10" in page
    assert 'name="points" value="5"' in page
    assert [rule["points"] for rule in rules_of(draft)] == [12, 2]

    post(second, draft, **sent)
    assert [rule["points"] for rule in rules_of(draft)] == [12, 5]


def test_a_form_follows_its_rule_when_somebody_else_moved_it(
    author: User, draft: ScoringModel
) -> None:
    second = client_of(make_user(Role.ADMIN))
    opened = second.get(f"/scoring/{draft.version}/?section=group-0&open=1").context["page"]
    post(client_of(author), draft, "part_move", open="1", to="0")

    sent = as_typed(open="1", label="Page", kind="PAGE_VIEW", points="5", read=opened.read_token)
    refused = post(second, draft, **sent)

    assert refused.context["page"].address.open == "0"


def test_a_form_of_a_rule_that_is_gone_would_make_it_anew(
    author: User, draft: ScoringModel
) -> None:
    second = client_of(make_user(Role.ADMIN))
    opened = second.get(f"/scoring/{draft.version}/?section=group-0&open=1").context["page"]
    post(client_of(author), draft, "part_remove", open="1")

    sent = as_typed(open="1", label="Page", kind="PAGE_VIEW", points="5", read=opened.read_token)
    refused = post(second, draft, **sent)

    assert refused.context["page"].opens == "new"
    assert 'name="points" value="5"' in refused.content.decode()


def test_a_form_of_no_rule_is_not_there_and_blames_nobody(
    author: User, draft: ScoringModel
) -> None:
    client = client_of(author)
    assert post(client, draft, **as_typed(open="7")).status_code == 404
    assert post(client, draft, **as_typed(open="")).status_code == 404


def test_a_version_that_is_in_force_shows_no_form(author: User, draft: ScoringModel) -> None:
    in_force = published_model()
    assert in_force is not None
    for said in ({"criteria_do": "add"}, {"open": "7"}, {}):
        page = post(client_of(author), in_force, **as_typed(**said)).content.decode()
        assert "Model v1 is published, not a draft" in page
        assert "part-form" not in page


def test_a_cell_is_clicked_and_what_stands_in_the_open_form_stays(
    author: User, draft: ScoringModel
) -> None:
    client = client_of(author)
    half = as_typed(label="Guide, half typed")

    shown = post(client, draft, "cell", cell="C2", **half).content.decode()

    assert 'value="Guide, half typed"' in shown
    assert rules_of(draft)[0]["label"] == "Guide"
    assert "C2" in draft.definition["mql"]["cells"]
    later = post(client, draft, "cell", cell="C3", revision=1, **half)
    assert later.status_code == 422
    assert 'value="Guide, half typed"' in later.content.decode()


def test_rules_are_added_moved_removed_and_that_is_undone(
    author: User, draft: ScoringModel
) -> None:
    client = client_of(author)
    post(client, draft, **as_typed(open="new", label="Demo", kind="DEMO_REQUEST", points="20"))
    assert [rule["label"] for rule in rules_of(draft)] == ["Guide", "Page", "Demo"]
    post(client, draft, "part_move", open="2", to="0")
    assert [rule["label"] for rule in rules_of(draft)] == ["Demo", "Guide", "Page"]
    post(client, draft, "part_remove", open="1")
    assert [rule["label"] for rule in rules_of(draft)] == ["Demo", "Page"]
    post(client, draft, "undo")
    assert [rule["label"] for rule in rules_of(draft)] == ["Demo", "Guide", "Page"]


def test_nobody_undoes_what_somebody_else_did(author: User, draft: ScoringModel) -> None:
    post(client_of(author), draft, **as_typed(points="12"))
    draft.refresh_from_db()

    answer = post(client_of(make_user(Role.ADMIN)), draft, "undo")

    assert "There is nothing to undo" in answer.content.decode()
    assert rules_of(draft)[0]["points"] == 12


def test_groups_are_added_named_and_removed(author: User, draft: ScoringModel) -> None:
    client = client_of(author)
    added = post(client, draft, "section_add", kind_of_section="group")
    draft.refresh_from_db()
    named = {"section": "group-1", "open": "settings", "name": "Events", "cap": "20", "floor": ""}
    saved = post(client, draft, **named)

    assert added.context["page"].opens == "settings"
    assert saved.status_code == 422  # it has no rule yet, which is said beside it
    assert "Needs at least one rule." in saved.content.decode()
    draft.refresh_from_db()
    assert draft.definition["engagement"]["groups"][1] == {"name": "Events", "cap": 20, "rules": []}
    post(client, draft, "part_remove", section="group-1", open="settings")
    draft.refresh_from_db()
    assert len(draft.definition["engagement"]["groups"]) == 1


@pytest.mark.parametrize("section", ["", "group-7", "x"])
def test_what_names_no_section_changes_none(
    author: User, draft: ScoringModel, section: str
) -> None:
    client = client_of(author)
    for name in ("part_remove", "part_move", "part_save"):
        said = {**as_typed(label="Other"), "section": section, "to": "1"}
        assert post(client, draft, name, **said).status_code == 404
    assert [rule["label"] for rule in rules_of(draft)] == ["Guide", "Page"]


def test_a_cell_is_clicked_into_the_definition_and_both_sides_are_named(
    author: User, draft: ScoringModel
) -> None:
    page = post(client_of(author), draft, "cell", cell="C2").content.decode()

    draft.refresh_from_db()
    assert "C2" in draft.definition["mql"]["cells"]
    assert "C2 is new, 0 leads: a change to the agreement, both sides sign." in page


def test_what_people_type_is_never_markup(author: User, draft: ScoringModel) -> None:
    client = client_of(author)
    post(client, draft, **as_typed(label=SCRIPT, asset=SCRIPT, name=SCRIPT))
    draft.refresh_from_db()
    post(client, draft, open="settings", name=SCRIPT, cap="50")
    opened = client.get(f"/scoring/{draft.version}/?section=group-0&open=0").content.decode()
    closed = client.get(f"/scoring/{draft.version}/?section={SCRIPT}").content.decode()
    compared = client.get(f"/scoring/{draft.version}/compare/").content.decode()

    assert SCRIPT in draft.definition["engagement"]["groups"][0]["rules"][0]["label"]
    assert not any(SCRIPT in page for page in (opened, closed, compared))


def test_criteria_are_built_in_the_form_and_saved_with_it(
    author: User, draft: ScoringModel
) -> None:
    client = client_of(author)
    post(client, draft, "section_add", kind_of_section="persona")
    draft.refresh_from_db()
    place = len(draft.definition["fit"]["personas"]) - 1
    new = {"section": f"persona-{place}", "open": "new", "label": "Plant", "points": "20"}
    chosen = post(
        client, draft, **new, criteria_do="field:+", criteria_field="title", criteria="{}"
    )
    assert chosen.context["page"].open_form.criteria.editor.field.label == "Title"

    typed = {"criteria_at": "+", "criteria_open": "title", "criteria_op": "contains"}
    post(client, draft, **new, **typed, criteria="{}", value="plant")

    draft.refresh_from_db()
    assert draft.definition["fit"]["personas"][place]["rules"] == [
        {
            "label": "Plant",
            "points": 20,
            "criteria": {"all": [{"field": "title", "op": "contains", "value": "plant"}]},
        }
    ]


def test_a_manager_reads_and_changes_nothing(draft: ScoringModel) -> None:
    manager = client_of(make_user(Role.MANAGER))
    page = manager.get(f"/scoring/{draft.version}/?section=group-0&open=0").content.decode()

    assert "part-form" not in page
    assert 'class="editable"' not in page
    assert post(manager, draft, **as_typed(points="99")).status_code == 404
    assert rules_of(draft)[0]["points"] == 10


def test_what_is_in_force_cannot_be_changed(author: User, draft: ScoringModel) -> None:
    in_force = ScoringModel.objects.get(version=1)
    answer = post(client_of(author), in_force, **as_typed(points="99"))

    assert "Model v1 is published, not a draft" in answer.content.decode()
    assert rules_of(in_force)[0]["points"] == 10


def test_a_test_lead_shows_its_lines_under_both_versions(author: User, draft: ScoringModel) -> None:
    lead = make_lead(first_name="Oskar", last_name="Wendlund")
    log_act(lead.pk, "DOWNLOAD")
    log_act(lead.pk, "PAGE_VIEW")
    client = client_of(author)
    post(client, draft, **as_typed(points="12", lead=str(lead.pk)))

    found = client.get(f"/scoring/{draft.version}/leads/?q=wendl").content.decode()
    trial = client.get(f"/scoring/{draft.version}/?lead={lead.pk}").context["page"].trial

    assert "Oskar Wendlund" in found
    assert 'hx-target="#editor"' not in found  # a page of its own has no editor to put it in
    assert [(line.text, line.before, line.after) for line in trial.lines] == [
        ("Guide", 10, 12),
        ("Page", 2, 2),
    ]
    assert (trial.before.engagement_score, trial.after.engagement_score) == (12, 14)


def test_a_lead_of_nowhere_is_no_test_lead(author: User, draft: ScoringModel) -> None:
    for text in ("99999", "x", "9" * 40, "-1"):
        page = client_of(author).get(f"/scoring/{draft.version}/", {"lead": text})
        assert (page.status_code, page.context["page"].trial) == (200, None)


@pytest.mark.parametrize(
    "address", ["section=group-99", "section=x&open=settings", "open=99", "open=-1", "open=terms"]
)
def test_any_address_is_a_page(author: User, draft: ScoringModel, address: str) -> None:
    assert client_of(author).get(f"/scoring/{draft.version}/?{address}").status_code == 200


@pytest.mark.parametrize(
    "broken", [[], "x", {"fit": 3, "engagement": {"groups": [1, {}, {"name": ["x"]}]}}]
)
def test_a_document_that_is_none_can_be_opened_and_mended(author: User, broken: Any) -> None:
    publish_model(two_rules())
    draft = start_draft(actor=author, now=NOW)
    change_draft(
        model_id=draft.pk, revision=1, definition=broken, actor=author, now=NOW + timedelta(hours=1)
    )
    client = client_of(author)

    assert client.get(f"/scoring/{draft.version}/").status_code == 200
    draft.refresh_from_db()
    assert post(client, draft, "cell", cell="A1").status_code == 200
    draft.refresh_from_db()
    assert post(client, draft, "section_add", kind_of_section="group").status_code == 200
