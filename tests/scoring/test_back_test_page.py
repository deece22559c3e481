"""What people see of a back-test: the card, the page, its rows as CSV."""

from __future__ import annotations

import pytest
from django.test import Client

from crm.accounts.enums import Role
from scoring.models import BackTest, BackTestCycle, ScoringModel
from scoring.services.back_test_card import card_of
from scoring.services.drafting import change_draft
from tests.factories import NOW, client_of, make_user
from tests.scoring.drafts import make_draft
from tests.scoring.logs import publish_model
from tests.scoring.test_backtesting import buyer, downloads, finish, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> ScoringModel:
    """Return a draft that was back-tested: it gains one lead and finds another earlier."""
    publish_model(downloads(30))
    buyer(1)
    buyer(1, 2, sql_after=40)
    draft = make_draft(downloads(55))
    finish(start(draft))
    return draft


def page(client: Client, draft: ScoringModel, query: str = "") -> str:
    return client.get(f"/scoring/{draft.version}/back-test/{query}").content.decode()


def test_the_page_names_the_leads_of_each_change(draft: ScoringModel) -> None:
    client = client_of(make_user(Role.MARKETER))
    gained = BackTestCycle.objects.get(change="GAINED")

    text = page(client, draft)

    assert f'href="/leads/{gained.lead_id}/"' in text
    assert "Newly an MQL 1" in text
    assert "2 cycles of 2 leads" in text


def test_the_page_opens_with_the_first_change_that_any_lead_has(draft: ScoringModel) -> None:
    done = BackTest.objects.get()
    changes = {
        **done.results["changes"],
        "GAINED": {"cycles": 0, "sqls": 0, "wons": 0, "refused": 0},
    }
    BackTest.objects.update(results={**done.results, "changes": changes})
    other = BackTestCycle.objects.exclude(change="GAINED").get()

    text = page(client_of(make_user(Role.MARKETER)), draft)

    assert f'href="?change={other.change}" aria-current="true"' in text
    assert f'href="/leads/{other.lead_id}/"' in text


def test_percentages_of_fewer_than_ten_are_hidden(draft: ScoringModel) -> None:
    lines = {line.label: line for line in card_of(draft)["lines"]}

    assert (lines["MQL to SQL"].draft, lines["MQL to SQL"].sample) == ("–", "n = 1")
    assert lines["MQL to SQL"].change is None
    assert lines["Days ahead of SQL"].draft == "–"


def test_the_rows_of_the_file_are_those_that_the_page_counts(draft: ScoringModel) -> None:
    client = client_of(make_user(Role.MANAGER))
    url = f"/scoring/{draft.version}/back-test/cycles.csv"

    every = b"".join(client.get(url)).decode().splitlines()
    gained = b"".join(client.get(f"{url}?change=GAINED")).decode().splitlines()

    assert (len(every), len(gained)) == (1 + 2, 1 + 1)
    assert client.get(f"{url}?change=NONSENSE").status_code == 404


def test_a_running_back_test_shows_how_far_it_is() -> None:
    client = client_of(make_user(Role.MARKETER))
    draft = make_draft(downloads(55))
    BackTest.objects.filter(pk=start(draft).pk).update(
        state="RUNNING", leads_done=3_000, lead_count=8_412
    )

    text = page(client, draft)

    assert "Replaying, 3,000 of 8,412 leads" in text
    assert 'hx-trigger="every 1s"' in text


def test_the_card_tells_its_page_when_the_back_test_is_over() -> None:
    publish_model(downloads(30))
    draft = make_draft(downloads(55))
    waiting = start(draft)
    url, asks = (
        f"/scoring/{draft.version}/back-test/",
        {"HX-Request": "true", "HX-Target": "back-test"},
    )
    client = client_of(make_user(Role.MANAGER))

    meanwhile = client.get(url, headers=asks)
    finish(waiting)
    at_the_end = client.get(url, headers=asks)
    findings = client.get(url, headers={**asks, "HX-Target": "back-test-findings"})

    assert "HX-Trigger" not in meanwhile.headers
    assert at_the_end.headers["HX-Trigger"] == f"back-test-over-{draft.revision}"
    assert "Lift by decile" in findings.content.decode()
    assert "HX-Trigger" not in findings.headers  # or it would ask for itself for ever


def test_whoever_edits_starts_and_stops() -> None:
    client = client_of(make_user(Role.MARKETER, full_name="Lena Brodvik"))
    draft = make_draft(downloads(55))

    client.post(f"/scoring/{draft.version}/back-test/start/")
    client.post(f"/scoring/{draft.version}/back-test/stop/")

    assert BackTest.objects.get().error == "Stopped by Lena Brodvik."
    assert "Stopped by Lena Brodvik." in page(client, draft)


def test_a_faulty_draft_is_not_back_tested_and_says_why() -> None:
    client = client_of(make_user(Role.MARKETER))
    draft = make_draft()
    ScoringModel.objects.filter(pk=draft.pk).update(definition={})

    answer = client.post(f"/scoring/{draft.version}/back-test/start/", follow=True)

    assert "has faults; mend them first" in answer.content.decode()
    assert not BackTest.objects.exists()


def test_a_model_in_force_says_that_it_was_never_back_tested() -> None:
    client = client_of(make_user(Role.MANAGER))

    assert "Not back-tested yet" in page(client, publish_model(now=NOW))


def test_a_back_test_of_a_draft_that_was_changed_says_to_run_it_again(draft: ScoringModel) -> None:
    change_draft(
        model_id=draft.pk, revision=draft.revision, definition=downloads(56),
        actor=make_user(), now=NOW,
    )  # fmt: skip

    text = page(client_of(make_user(Role.MANAGER)), draft)

    assert "The draft was changed since its last back-test: run it again." in text


def test_a_back_test_beside_another_model_says_to_run_it_again(draft: ScoringModel) -> None:
    client = client_of(make_user(Role.MANAGER))
    assert "came into force since" not in page(client, draft)

    latest = publish_model(downloads(31), now=NOW)

    assert f"{latest} came into force since: run it again" in page(client, draft)
