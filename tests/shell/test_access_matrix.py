from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from crm.accounts.enums import Role
from tests.access import Row
from tests.factories import client_of, make_user

APPS = ("accounts", "shell", "leads", "engagement", "scoring", "handoff", "reports", "demo")
WRITES = ("INSERT", "UPDATE", "DELETE")


def rows() -> list[Row]:
    """Collect the rows of every app that has some."""
    modules = [f"tests.{app}.access" for app in APPS]
    return [row for name in modules if find_spec(name) for row in import_module(name).ROWS]


def addresses(
    resolver: URLResolver, route: str = "", namespace: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield the route and the name of every address below ``resolver``."""
    for entry in resolver.url_patterns:
        here = route + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield here, namespace + (entry.name or f"without a name: {here}")
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from addresses(entry, here, inner)


def test_every_address_has_exactly_one_row() -> None:
    names = {name for route, name in addresses(get_resolver()) if not route.startswith("admin/")}
    listed = [row.name for row in rows()]

    assert {"missing": names - set(listed), "stale": set(listed) - names} == {
        "missing": set(),
        "stale": set(),
    }
    assert len(listed) == len(set(listed))


@pytest.mark.django_db
@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_the_address_opens_for_whom_it_is_meant(row: Row) -> None:
    for role in Role:
        viewer = make_user(role)
        url = reverse(row.name, kwargs=row.own(viewer))
        if role in row.roles:
            assert is_open(send(client_of(viewer), row, url)), f"closed for {role}"
        else:
            assert_hidden(client_of(viewer), row, url)


@pytest.mark.django_db
@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_strangers_are_sent_to_the_login_unless_the_address_is_public(row: Row) -> None:
    somebody = make_user(*(row.roles or Role))
    url = reverse(row.name, kwargs=row.own(somebody))
    answer = send(Client(), row, url)

    if row.is_public:
        assert is_open(answer) or row.name == "shell:home"
    else:
        assert answer.status_code == 404 or leads_to_login(answer)


@pytest.mark.django_db
@pytest.mark.parametrize("row", [row for row in rows() if row.foreign], ids=lambda row: row.name)
def test_what_is_out_of_a_reps_sight_does_not_exist_for_them(row: Row) -> None:
    rep = make_user(Role.REP)
    assert row.foreign
    url = reverse(row.name, kwargs=row.foreign(rep))

    assert_hidden(client_of(rep), row, url)


@pytest.mark.django_db
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_no_other_role_opens_the_admin_site(role: Role) -> None:
    client = client_of(make_user(role))

    for route, _ in addresses(get_resolver()):
        if route.startswith("admin/") and "<" not in route and "(" not in route:
            assert client.get(f"/{route}").status_code in {302, 403, 404}, route


@pytest.mark.django_db
def test_the_role_of_an_admin_opens_the_admin_site() -> None:
    assert client_of(make_user(Role.ADMIN)).get("/admin/").status_code == 200


def send(client: Client, row: Row, url: str) -> HttpResponse:
    answer: HttpResponse = getattr(client, row.method)(url, row.data or None)
    if answer.streaming:
        list(answer)  # which closes the file at its end
    return answer


def is_open(answer: HttpResponse) -> bool:
    """Say whether the page let the person in; refusals, ended links and red health do too."""
    return answer.status_code in {200, 204, 400, 409, 410, 422, 503} or (
        answer.status_code in {301, 302} and not leads_to_login(answer)
    )


def leads_to_login(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")


def assert_hidden(client: Client, row: Row, url: str) -> None:
    """Assert that the address does not exist for this person, and that trying changed nothing."""
    with CaptureQueriesContext(connection) as queries:
        answer = send(client, row, url)

    assert answer.status_code == 404, f"{row.name} answers {answer.status_code}"
    said = [query["sql"] or "" for query in queries]  # a prepared one is none; it only reads
    assert [sql for sql in said if sql.startswith(WRITES)] == []
