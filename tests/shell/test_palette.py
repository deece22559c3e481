from __future__ import annotations

import pytest
from django.urls import resolve, reverse

from crm.accounts.enums import Role
from crm.shell.palette import choices_for
from tests.factories import client_of, make_lead, make_user

pytestmark = pytest.mark.django_db


def offered(role: Role, text: str = "") -> dict[str, list[str]]:
    groups = choices_for(make_user(role), text)
    return {group.label: [choice.label for choice in group.choices] for group in groups}


def test_without_words_all_pages_and_acts_of_the_role_are_offered() -> None:
    rep, admin = offered(Role.REP), offered(Role.ADMIN)

    assert list(rep) == ["Pages", "Actions"]
    assert rep["Pages"][0] == "My queue"
    assert "Invite a colleague" not in rep["Actions"]
    assert "Invite a colleague" in admin["Actions"]


@pytest.mark.parametrize("role", list(Role))
def test_whoever_is_offered_something_may_open_it(role: Role) -> None:
    user = make_user(role)
    client = client_of(user)

    for group in choices_for(user, ""):
        for choice in group.choices:
            answer = client.get(choice.url, headers={"accept": "text/html"}, follow=True)
            assert resolve(choice.url.partition("?")[0])
            assert answer.status_code in {200, 503}, f"{role} cannot open {choice.label}"


def test_every_word_must_be_in_the_name_or_its_group() -> None:
    assert offered(Role.MANAGER, "sla both") == {"Pages": ["SLA compliance"]}
    assert offered(Role.MANAGER, "RULE new") == {"Actions": ["New routing rule"]}
    assert offered(Role.MANAGER, "sla nowhere") == {}


def test_leads_are_found_by_a_part_of_their_name_and_stand_first() -> None:
    make_lead(first_name="Ines", last_name="Kallweit", company_name="Kesterwald Pumpen")
    make_lead(first_name="Oskar", last_name="Wendlund", company_name="Trygve")

    assert offered(Role.MARKETER, "kallw") == {"Leads": ["Ines Kallweit"]}
    assert "Leads" not in offered(Role.MARKETER, "k")


def test_nobody_finds_leads_out_of_their_sight() -> None:
    make_lead(first_name="Ines", last_name="Kallweit")

    assert offered(Role.REP, "kallweit") == {}


def test_the_last_choice_searches_for_the_words_as_they_were_typed() -> None:
    page = client_of(make_user()).get(reverse("shell:palette"), {"q": '<b> & "x"'})

    assert 'href="/search/?q=%3Cb%3E%20%26%20%22x%22"' in page.content.decode()
    assert "&lt;b&gt;" in page.content.decode()
