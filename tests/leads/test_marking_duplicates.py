"""The list of possible duplicates: whoever is written, merged or renamed is compared anew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.http import QueryDict

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.locks import hold
from leads.duplicates import possible_duplicates
from leads.list_address import read_address
from leads.listing import load_list
from leads.models import DuplicateCheck, Lead
from leads.services import create_lead, mark_duplicates, merge_leads, undo_merge, update_lead
from tests.concurrency import in_thread
from tests.factories import NOW, make_lead, make_user

pytestmark = pytest.mark.django_db
INES = {"first_name": "Ines", "last_name": "Kallweit"}


@pytest.fixture
def mira() -> User:
    return make_user(Role.MARKETER)


def _listed(viewer: User) -> list[Lead]:
    while mark_duplicates():
        pass
    address = read_address(QueryDict("view=duplicates"), user=viewer)
    return [row.lead for row in load_list(address, viewer=viewer, now=NOW).rows]


def test_the_view_has_those_whose_pages_warn_of_a_namesake_at_a_company_or_phone(
    mira: User,
) -> None:
    at_work = [make_lead(**INES), make_lead(**INES)]
    by_phone = [
        make_lead(first_name="Oskar", last_name="Sommer", company_name=firm, phone="+4930231254")
        for firm in ("", "Ossola")
    ]
    make_lead(first_name="Yara", last_name="Kallweit")
    for names in ({"first_name": "Ines", "last_name": ""}, {"first_name": "", "last_name": "Roth"}):
        make_lead(**names)
        make_lead(**names)
    make_lead(first_name="Ada", last_name="Roth", company_name="", phone="")
    make_lead(first_name="Ada", last_name="Roth", company_name="", phone="")

    assert _listed(mira) == [*at_work, *by_phone]
    assert not DuplicateCheck.objects.exists()
    warned = [lead for lead in Lead.objects.order_by("pk") if possible_duplicates(lead, mira, NOW)]
    assert warned == [*at_work, *by_phone]


def test_whoever_is_written_by_the_services_is_compared_anew(mira: User) -> None:
    first, second = (
        create_lead(now=NOW, company_name="Ossola", first_name="Ines", last_name="Kallweit")
        for _ in range(2)
    )
    assert _listed(mira) == [first, second]

    update_lead(lead_id=first.pk, now=NOW, company_name="Kesterwald")
    assert _listed(mira) == []

    update_lead(lead_id=second.pk, now=NOW, company_name="Kesterwald")
    assert _listed(mira) == [first, second]

    update_lead(lead_id=second.pk, now=NOW, last_name="Roth")
    assert _listed(mira) == []


def test_a_merged_lead_is_nobodys_duplicate_until_it_is_parted_again(mira: User) -> None:
    first, second = make_lead(**INES), make_lead(**INES)
    merge = merge_leads(survivor_id=first.pk, merged_id=second.pk, actor=mira, now=NOW)
    after_merge = _listed(mira)

    undo_merge(merge_id=merge.pk, actor=mira, now=NOW)

    assert (after_merge, _listed(mira)) == ([], [first, second])


def test_what_says_nothing_of_a_person_is_not_compared() -> None:
    lead = make_lead(**INES)
    mark_duplicates()

    Lead.objects.filter(pk=lead.pk).update(last_activity_at=NOW, **INES)

    assert not DuplicateCheck.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_round_is_done_at_a_time() -> None:
    make_lead(**INES)
    make_lead(**INES)

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        hold("leads.mark_duplicates")
        has_more = in_thread(pool, mark_duplicates).result()

    assert not has_more
    assert DuplicateCheck.objects.count() == 2
    connection.close()
