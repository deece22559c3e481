"""Lists that people keep: for themselves, for the team, as the first of a role."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.criteria import users_of
from leads.models import DefaultView, KeptView
from leads.saved_views import first_view, views_of
from leads.services.views import (
    ViewRefused,
    delete_view,
    keep_view,
    make_default,
    rename_view,
    reshape_view,
)
from tests.factories import NOW, client_of, make_lead, make_user
from tests.leads.asking import address

pytestmark = pytest.mark.django_db
GERMAN = "view=all&f=country.in.DE&sort=name&columns=city%2Ccompany&size=25"


def keep(
    user: User, name: str = "German", query: str = GERMAN, *, is_team: bool = False
) -> KeptView:
    shape = address(query, user).shape
    return keep_view(owner=user, name=name, is_team=is_team, shape=shape, now=NOW)


def labels(user: User) -> list[str]:
    return [view.label for view in views_of(user) if view.kept]


def test_a_kept_view_brings_filters_order_columns_and_rows_a_page(marketer: User) -> None:
    kept = keep(marketer)

    asked = address(f"view={kept.pk}", marketer)

    assert asked.filters == ["country.in.DE"]
    assert asked.sort.code == "name"
    assert asked.column_names == ["city", "company"]
    assert asked.page_size == 25
    assert asked.query == f"view={kept.pk}"
    assert not asked.is_edited


def test_alternatives_are_kept_too(marketer: User) -> None:
    tree = '{"any":[{"field":"country","op":"in","value":["DE"]},{"field":"city","op":"is_set"}]}'
    kept = keep(marketer, query=f"view=all&f={tree}")

    assert address(f"view={kept.pk}", marketer).filters == [tree]


def test_what_differs_from_a_kept_view_stands_in_the_address(marketer: User) -> None:
    kept = keep(marketer)

    asked = address(f"view={kept.pk}&columns=city&size=100", marketer)

    assert asked.query == f"view={kept.pk}&columns=city&size=100"
    assert asked.is_edited


def test_a_private_view_is_its_owners_alone(marketer: User) -> None:
    kept = keep(marketer)
    other = make_user(Role.MANAGER)

    assert labels(other) == []
    assert address(f"view={kept.pk}", other).is_missing
    for write in (
        lambda: reshape_view(view_id=kept.pk, actor=other, shape=address("", other).shape),
        lambda: rename_view(view_id=kept.pk, actor=other, name="Mine", is_team=False),
        lambda: delete_view(view_id=kept.pk, actor=other),
    ):
        with pytest.raises(KeptView.DoesNotExist):
            write()


def test_a_view_of_the_team_is_everybodys_to_open_and_lists_what_they_may_see(
    marketer: User,
) -> None:
    rep = make_user(Role.REP)
    make_lead(country="DE")
    mine = make_lead(country="DE", owner=rep)
    kept = keep(marketer, is_team=True)

    found = address(f"view={kept.pk}", rep).leads(viewer=rep, now=NOW)

    assert labels(rep) == ["German"]
    assert list(found) == [mine]


def test_a_rep_writes_no_view_of_the_team(marketer: User) -> None:
    rep = make_user(Role.REP)
    kept = keep(marketer, is_team=True)
    own = keep(rep, "Own")

    for write in (
        lambda: keep(rep, "Shared", is_team=True),
        lambda: rename_view(view_id=own.pk, actor=rep, name="Own", is_team=True),
        lambda: rename_view(view_id=kept.pk, actor=rep, name="X", is_team=False),
        lambda: reshape_view(view_id=kept.pk, actor=rep, shape=address("", rep).shape),
        lambda: delete_view(view_id=kept.pk, actor=rep),
    ):
        with pytest.raises(ViewRefused, match="kept by marketers and managers"):
            write()


@pytest.mark.parametrize(
    ("name", "said"),
    [("  ", "needs a name"), ("x" * 61, "longer than 60"), ("a\x00", "no text")],
)
def test_a_name_that_is_none_is_refused(marketer: User, name: str, said: str) -> None:
    with pytest.raises(ViewRefused, match=said):
        keep(marketer, name)


def test_a_name_is_taken_once_a_person_and_once_in_the_team(marketer: User) -> None:
    keep(marketer)
    keep(marketer, is_team=True)
    keep(make_user(Role.REP))

    with pytest.raises(ViewRefused, match="You have a view called “German” already"):
        keep(marketer)
    with pytest.raises(ViewRefused, match="The team has a view"):
        keep(make_user(Role.MANAGER), is_team=True)


def test_the_database_refuses_a_name_twice(marketer: User) -> None:
    fields: dict[str, Any] = {"name": "A", "owner": marketer, "page_size": 50, "created_at": NOW}
    for is_team in (False, True):
        KeptView.objects.create(**fields, is_team=is_team)
        with pytest.raises(IntegrityError), transaction.atomic():
            KeptView.objects.create(**fields, is_team=is_team)


def test_a_view_is_saved_over_renamed_and_deleted(marketer: User) -> None:
    kept = keep(marketer)

    shape = address("view=all&f=city.is.Oslo", marketer).shape
    reshape_view(view_id=kept.pk, actor=marketer, shape=shape)
    rename_view(view_id=kept.pk, actor=marketer, name="Oslo", is_team=True)

    assert address(f"view={kept.pk}", marketer).filters == ["city.is.Oslo"]
    assert labels(make_user(Role.REP)) == ["Oslo"]
    delete_view(view_id=kept.pk, actor=marketer)
    assert labels(marketer) == []


def test_a_role_begins_with_the_view_chosen_for_it(marketer: User) -> None:
    rep, manager = make_user(Role.REP), make_user(Role.MANAGER)
    kept = keep(manager, is_team=True)

    make_default(role=Role.REP, actor=manager, kept_id=kept.pk)
    make_default(role=Role.MARKETER, actor=marketer, shipped="waiting")

    assert address("", rep).view.label == "German"
    assert address("", marketer).view.name == "waiting"
    delete_view(view_id=kept.pk, actor=manager)
    assert address("", rep).view.name == "all"


def test_a_first_view_that_the_person_cannot_open_is_passed_over() -> None:
    DefaultView.objects.create(role=Role.REP, shipped="no_source")
    rep = make_user(Role.REP)

    assert first_view(rep, {view.name for view in views_of(rep)}) == "all"


def test_only_who_leads_a_role_chooses_its_first_view_and_only_of_the_team(marketer: User) -> None:
    kept = keep(marketer)

    with pytest.raises(ViewRefused, match="not yours to choose"):
        make_default(role=Role.REP, actor=marketer, shipped="all")
    with pytest.raises(ViewRefused, match="Only a view of the team"):
        make_default(role=Role.MARKETER, actor=marketer, kept_id=kept.pk)


def test_the_first_view_of_a_role_stays_with_the_team(marketer: User) -> None:
    kept = keep(marketer, is_team=True)
    make_default(role=Role.MARKETER, actor=marketer, kept_id=kept.pk)

    with pytest.raises(ViewRefused, match="stays with the team"):
        rename_view(view_id=kept.pk, actor=marketer, name="German", is_team=False)


def test_a_view_whose_field_is_gone_says_so_and_the_others_are_counted(marketer: User) -> None:
    kept = keep(marketer)
    KeptView.objects.update(tree={"field": "shoe", "op": "is", "value": "44"})
    client = client_of(marketer)

    page = client.get(f"/leads/?view={kept.pk}")

    assert page.status_code == 400
    assert "there is no field &#x27;shoe&#x27;" in page.content.decode()
    assert client.get("/leads/counts/").status_code == 200


def test_kept_views_are_named_before_what_they_ask_for_is_taken_away(marketer: User) -> None:
    keep(marketer, is_team=True)

    assert users_of("country") == ["View “German” of the team"]
