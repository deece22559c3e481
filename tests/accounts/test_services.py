"""Changing and ending accounts, and the first of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm.accounts import services
from crm.accounts.enums import Role
from crm.accounts.models import User
from tests.concurrency import in_thread, side_by_side
from tests.factories import PASSWORD, client_of, make_team, make_user

NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)


@pytest.mark.django_db
def test_nobody_ends_their_own_access() -> None:
    admin = make_user(Role.ADMIN)
    make_user(Role.ADMIN)

    with pytest.raises(services.CannotDeactivateYourself):
        services.deactivate_user(user_id=admin.pk, actor=admin, now=NOW)
    admin.refresh_from_db()
    assert admin.is_active


@pytest.mark.django_db
def test_the_last_admin_keeps_access_and_role() -> None:
    last, rep = make_user(Role.ADMIN), make_user(Role.REP)
    make_user(Role.ADMIN, is_active=False)

    with pytest.raises(services.LastAdmin):
        services.deactivate_user(user_id=last.pk, actor=rep, now=NOW)
    with pytest.raises(services.LastAdmin):
        services.update_person(
            user_id=last.pk, full_name="Last", roles=[Role.REP], sales_team=None, now=NOW
        )
    last.refresh_from_db()
    assert (last.is_active, last.roles) == (True, [Role.ADMIN])


@pytest.mark.django_db
def test_one_of_several_admins_may_go() -> None:
    leaving, staying = make_user(Role.ADMIN), make_user(Role.ADMIN)

    services.deactivate_user(user_id=leaving.pk, actor=staying, now=NOW)

    leaving.refresh_from_db()
    assert not leaving.is_active
    services.reactivate_user(user_id=leaving.pk)
    leaving.refresh_from_db()
    assert leaving.is_active


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_remove_each_other_at_once_do_not_both_succeed() -> None:
    ada, bob = make_user(Role.ADMIN), make_user(Role.ADMIN)
    is_locked, may_commit = threading.Event(), threading.Event()

    def ada_removes_bob() -> None:
        with transaction.atomic():
            services.deactivate_user(user_id=bob.pk, actor=ada, now=NOW)
            is_locked.set()
            assert may_commit.wait(30)

    with ThreadPoolExecutor(2) as pool:
        first = in_thread(pool, ada_removes_bob)
        assert is_locked.wait(30)
        second = in_thread(
            pool, lambda: services.deactivate_user(user_id=ada.pk, actor=bob, now=NOW)
        )
        threading.Timer(0.3, may_commit.set).start()
        first.result(timeout=30)
        with pytest.raises(services.LastAdmin):
            second.result(timeout=30)

    assert User.objects.filter(is_active=True, roles__contains=[Role.ADMIN]).get() == ada


@pytest.mark.django_db
def test_a_persons_work_can_change() -> None:
    person, team = make_user(Role.REP), make_team()

    services.update_person(
        user_id=person.pk, full_name="New Name", roles=[Role.MANAGER], sales_team=team, now=NOW
    )

    person.refresh_from_db()
    assert (person.full_name, person.roles, person.sales_team) == ("New Name", ["MANAGER"], team)


@pytest.mark.django_db
def test_two_teams_do_not_share_a_name() -> None:
    dach = services.create_team(name="DACH", time_zone="Europe/Berlin")
    nordics = services.create_team(name="Nordics", time_zone="Europe/Stockholm")

    with pytest.raises(services.TeamNameTaken):
        services.create_team(name="DACH", time_zone="UTC")
    with pytest.raises(services.TeamNameTaken):
        services.update_team(team_id=nordics.pk, name="DACH", time_zone="UTC")
    dach.refresh_from_db()
    assert dach.time_zone == "Europe/Berlin"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_set_up_at_once_one_becomes_the_first_admin() -> None:
    def set_up(name: str) -> User:
        return services.create_first_admin(
            email=f"{name}@example.com", full_name=name, password=PASSWORD
        )

    outcomes = side_by_side(lambda: set_up("ada"), lambda: set_up("bob"))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadySetUp", "User"]
    assert User.objects.get().roles == [Role.ADMIN]


@pytest.mark.django_db
def test_nobody_sets_up_a_house_that_has_people() -> None:
    make_user(is_active=False)

    with pytest.raises(services.AlreadySetUp):
        services.create_first_admin(email="a@example.com", full_name="A", password=PASSWORD)


@pytest.mark.django_db
def test_the_first_admins_password_is_checked_too() -> None:
    with pytest.raises(ValidationError):
        services.create_first_admin(email="a@example.com", full_name="A", password="password")
    assert User.objects.count() == 0


@pytest.mark.django_db
def test_who_loses_the_role_of_an_admin_no_longer_enters_the_django_admin() -> None:
    first = services.create_first_admin(email="a@example.com", full_name="A", password=PASSWORD)
    page = reverse("admin:handoff_sourceowner_changelist")
    before = client_of(first).get(page).status_code

    User.objects.filter(pk=first.pk).update(roles=[Role.REP])

    assert (before, client_of(first).get(page).status_code) == (200, 302)


@pytest.mark.django_db
def test_the_database_refuses_unknown_roles_and_addresses_in_capitals() -> None:
    for fields, constraint in (
        ({"roles": ["CEO"]}, "user_roles_are_known"),
        ({"email": "Ines@example.com"}, "user_email_is_lower"),
    ):
        person = make_user()
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            User.objects.filter(pk=person.pk).update(**fields)


@pytest.mark.django_db
def test_sessions_end_with_the_access_and_do_not_come_back_with_it() -> None:
    ada, leaving = make_user(Role.ADMIN), make_user(Role.REP)
    before = client_of(leaving)

    services.deactivate_user(user_id=leaving.pk, actor=ada, now=NOW)
    services.reactivate_user(user_id=leaving.pk)
    leaving.refresh_from_db()

    assert before.get("/preferences/").status_code == 302
    assert client_of(leaving).get("/preferences/").status_code == 200
