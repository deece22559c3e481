"""Requests that the database takes back because others were at the same rows."""

from __future__ import annotations

import psycopg
import pytest
from django.urls import reverse

from crm.accounts.enums import Role
from leads.services import merge_leads
from tests.factories import NOW, client_of, make_lead, make_user
from tests.processes import database_url
from tests.settings_of_session import session_setting


@pytest.mark.django_db(transaction=True)
def test_who_is_held_up_for_too_long_is_told_to_try_again() -> None:
    mira, kept, gone = make_user(Role.MARKETER), make_lead(), make_lead()
    made = merge_leads(survivor_id=kept.pk, merged_id=gone.pk, actor=mira, now=NOW)
    web = client_of(mira)
    with (
        session_setting("lock_timeout", "50ms"),
        psycopg.connect(database_url()) as other,
    ):
        other.execute("SELECT FROM leads_lead WHERE id = %s FOR UPDATE", [kept.pk])
        answer = web.post(reverse("leads:merge_undo", args=[made.pk]))

    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert "See whether what you sent is there; if not, send it again." in answer.content.decode()
    made.refresh_from_db()
    assert made.undone_at is None
