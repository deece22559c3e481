"""The pages of two leads that are one person: from the banner and the list, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from crm.accounts.enums import Role
from leads.models import Lead, LeadMerge
from leads.services import merge_leads
from tests.factories import NOW, client_of, make_lead, make_user

pytestmark = pytest.mark.django_db


def compare(survivor: Lead, merged: Lead) -> str:
    return reverse("leads:merge_compare", args=[survivor.pk, merged.pk])


def test_the_banner_leads_to_a_comparison_and_the_comparison_to_one_lead(web: Client) -> None:
    newer = make_lead(last_name="Orth", title="CTO", phone="")
    older = make_lead(
        last_name="Orth", title="Chief", phone="+4930123456", created_at=NOW - timedelta(days=9)
    )
    page = web.get(reverse("leads:detail", args=[newer.pk])).content.decode()
    way = f"{reverse('leads:merge_two')}?ids={newer.pk}&amp;ids={older.pk}"
    assert way in page

    comparison = web.get(way.replace("&amp;", "&"), follow=True)

    assert comparison.request["PATH_INFO"] == compare(older, newer)
    assert 'aria-label="Role: CTO"' in comparison.content.decode()
    said = {"seen": comparison.context["seen"], "keep_title": "title"}
    merged = web.post(compare(older, newer), said, follow=True)
    older.refresh_from_db()
    assert (older.title, older.phone) == ("CTO", "+4930123456")
    assert "Was Chief" in merged.content.decode()
    again = web.post(compare(older, newer), said)
    assert (again.status_code, LeadMerge.objects.count()) == (302, 1)
    old_link = web.get(reverse("leads:detail", args=[newer.pk]), follow=True)
    assert old_link.redirect_chain == [(reverse("leads:detail", args=[older.pk]), 302)]
    assert f"{newer} was merged into this lead" in old_link.content.decode()
    assert f"Merged with {newer}" in old_link.content.decode()

    parted = web.post(reverse("leads:merge_undo", args=[LeadMerge.objects.get().pk]), follow=True)

    assert f"Parted from {older} again" in parted.content.decode()
    assert not Lead.objects.exclude(merged_into=None).exists()


def test_a_comparison_that_is_out_of_date_is_shown_anew(web: Client) -> None:
    kept, gone = make_lead(title="CTO"), make_lead(title="Chief")
    seen = web.get(compare(kept, gone)).context["seen"]
    Lead.objects.filter(pk=gone.pk).update(title="Boss")

    answer = web.post(compare(kept, gone), {"seen": seen, "keep_title": "title"})

    assert answer.status_code == 422
    assert "Somebody changed a fact meanwhile" in answer.content.decode()
    assert not LeadMerge.objects.exists()


def test_exactly_two_leads_of_a_list_are_merged(web: Client) -> None:
    leads = [make_lead() for _ in range(3)]

    for chosen in (leads[:1], leads):
        answer = web.get(reverse("leads:merge_two"), {"ids": [lead.pk for lead in chosen]})
        assert answer.headers["Location"].startswith(reverse("leads:list"))
    answer = web.get(reverse("leads:merge_two"), {"ids": [lead.pk for lead in leads[:2]]})
    assert answer.headers["Location"] == compare(*leads[:2])


def test_a_rep_sees_what_was_merged_into_their_lead_and_nobody_elses(web: Client) -> None:
    rep, mira = make_user(Role.REP), make_user(Role.MARKETER)
    kept, gone, other = make_lead(owner=rep), make_lead(), make_lead()
    mine = merge_leads(survivor_id=kept.pk, merged_id=gone.pk, actor=mira, now=NOW)
    theirs = merge_leads(survivor_id=other.pk, merged_id=make_lead().pk, actor=mira, now=NOW)
    desk = client_of(rep)

    page = desk.get(reverse("leads:merge", args=[mine.pk]))

    assert "Take the merge back" not in page.content.decode()
    assert desk.get(reverse("leads:merge", args=[theirs.pk])).status_code == 404
    assert desk.get(reverse("leads:detail", args=[theirs.merged_id])).status_code == 404
    assert desk.get(reverse("leads:detail", args=[gone.pk])).status_code == 302
