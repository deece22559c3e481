from __future__ import annotations

import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from crm.shell.guide import guide_for
from tests.factories import NOW, client_of, make_lead, make_team, make_user
from tests.handoff.factories import make_agreement, make_calendar

pytestmark = pytest.mark.django_db


def done(*, viewer: Role = Role.ADMIN) -> set[str]:
    return {line.step.title for line in guide_for(make_user(viewer)) if line.is_done}


def test_what_exists_is_done() -> None:
    before = done()
    make_team()
    make_lead()
    make_calendar()
    make_agreement(now=NOW)

    assert done() - before >= {
        "Make a sales team", "Bring in your leads", "Sign the agreement",
    }  # fmt: skip


def test_a_step_leads_to_where_it_is_done_or_names_who_can_do_it() -> None:
    lines = {line.step.title: line for line in guide_for(make_user(Role.MARKETER))}

    assert lines["Bring in your leads"].url == reverse("leads:imports")
    invite = lines["Invite your colleagues"]
    assert (invite.url, invite.whose) == ("", "admin")


@pytest.mark.parametrize("role", [Role.MARKETER, Role.MANAGER, Role.ADMIN])
def test_every_step_opens_for_whom_it_names(role: Role) -> None:
    user = make_user(role)
    client = client_of(user)

    for line in guide_for(user):
        if line.url:
            assert client.get(line.url).status_code == 200, line.step.title
