from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.urls import resolve

from crm.accounts.enums import Role
from crm.common.slots import NavItem, navigation
from crm.shell.navigation import navigation_of
from tests.factories import client_of, make_user

NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def labels_of(*roles: Role) -> list[str]:
    groups = navigation_of(make_user(*roles), path="/nowhere/", now=NOW)
    return [item.label for group in groups for item in group.items]


def test_each_role_sees_its_own_destinations() -> None:
    assert {"People", "Teams", "Health"} <= set(labels_of(Role.ADMIN))
    assert {"People", "Teams", "Health"}.isdisjoint(labels_of(Role.REP))


def test_several_roles_see_the_union_once() -> None:
    both = labels_of(Role.ADMIN, Role.REP)

    assert sorted(both) == sorted(set(labels_of(Role.ADMIN)) | set(labels_of(Role.REP)))


def test_the_page_below_an_address_marks_its_item() -> None:
    groups = navigation_of(make_user(Role.ADMIN), path="/people/17/", now=NOW)

    assert [item.label for group in groups for item in group.items if item.active] == ["People"]


def test_everything_in_the_sidebar_leads_to_a_page() -> None:
    everyone = make_user(*Role)

    for group in navigation_of(everyone, path="/", now=NOW):
        for item in group.items:
            assert resolve(item.url.partition("?")[0])


def test_whoever_sees_an_item_may_open_its_page() -> None:
    for role in Role:
        user = make_user(role)
        client = client_of(user)
        for group in navigation_of(user, path="/", now=NOW):
            for item in group.items:
                answer = client.get(item.url, headers={"accept": "text/html"}, follow=True)
                expected = {200, 503} if item.url == "/health" else {200}
                assert answer.status_code in expected, f"{role} cannot open {item.label}"


def test_a_badge_is_asked_for_with_the_person_and_the_time() -> None:
    item = NavItem(
        name="test-only",
        label="Test",
        url_name="shell:search",
        icon="search",
        order=1,
        badge=lambda user, now: f"{user.full_name} {now:%H:%M}",
    )
    navigation.register(item)
    try:
        groups = navigation_of(make_user(full_name="Ada"), path="/", now=NOW)
    finally:
        navigation._items.pop("test-only")

    assert groups[0].items[0].badge == "Ada 08:42"
