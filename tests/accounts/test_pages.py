from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.accounts import services
from crm.accounts.enums import Role
from crm.accounts.invitations import invitation_token
from crm.accounts.models import Invitation, SalesTeam, User
from crm.common.models import OutboxMessage
from tests.factories import PASSWORD, client_of, make_team, make_user

pytestmark = pytest.mark.django_db
INES = {"email": "ines@example.com", "full_name": "Ines Kallweit", "roles": ["REP", "MANAGER"]}
ANSWER = {"full_name": "Ines K.", "password": PASSWORD}


@pytest.fixture
def admin() -> User:
    return make_user(Role.ADMIN, full_name="Ada Admin")


@pytest.fixture
def desk(admin: User) -> Client:
    """Return the admin's browser."""
    return client_of(admin)


@pytest.fixture
def link(admin: User) -> str:
    """Return the address in the mail of an open invitation."""
    invitation = services.invite(
        email="ines@example.com",
        full_name="Ines Kallweit",
        roles=[Role.REP],
        sales_team=None,
        invited_by=admin,
        now=timezone.now(),
    )
    return f"/invitation/{invitation_token(invitation)}/"


def test_an_admin_invites_and_sees_whom(desk: Client) -> None:
    team = make_team(name="DACH")

    answer = desk.post("/people/invite/", {**INES, "sales_team": team.pk}, follow=True)

    invitation = Invitation.objects.get()
    text = answer.content.decode()
    assert (invitation.roles, invitation.sales_team) == (["REP", "MANAGER"], team)
    assert OutboxMessage.objects.get().channel == "invitation"
    assert ("ines@example.com" in text, "Sales rep, Manager, DACH" in text) == (True, True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"email": "no address"}, "valid email"),
        ({"email": ""}, "required"),
        ({"roles": []}, "required"),
        ({"roles": ["CEO"]}, "not one of the available"),
        ({"sales_team": "999999"}, "not one of the available"),
        ({"email": "ada@example.com"}, "has an account already"),
        ({"full_name": "x\x00"}, "Null characters"),
    ],
)
def test_a_wrong_invitation_is_refused_beside_its_field(
    desk: Client, fields: dict[str, object], words: str
) -> None:
    make_user(email="ada@example.com")

    answer = desk.post("/people/invite/", {**INES, **fields})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Invitation.objects.count() == 0


@pytest.mark.parametrize("address", ["/people/invite/", "/teams/add/", "/preferences/"])
def test_a_form_sent_empty_is_refused_and_not_taken_for_one_just_opened(
    desk: Client, address: str
) -> None:
    answer = desk.post(address, {})

    assert answer.status_code == 422
    assert "required" in answer.content.decode()


def test_changes_sent_empty_are_refused(desk: Client) -> None:
    person, team = make_user(), make_team()

    answers = [desk.post(f"/people/{person.pk}/"), desk.post(f"/teams/{team.pk}/")]

    assert [answer.status_code for answer in answers] == [422, 422]


def test_an_invitation_accepted_with_nothing_is_refused(client: Client, link: str) -> None:
    assert client.post(link, {}).status_code == 422


def test_a_look_at_the_link_accepts_nothing(client: Client, link: str) -> None:
    answer = client.get(link)

    assert answer.status_code == 200
    assert "Ada Admin invites you as sales rep" in answer.content.decode()
    assert User.objects.filter(email="ines@example.com").count() == 0
    assert "no-store" in answer["Cache-Control"]


def test_accepting_makes_the_account_and_logs_in(client: Client, link: str) -> None:
    answer = client.post(link, ANSWER)

    ines = User.objects.get(email="ines@example.com")
    assert answer["Location"] == "/"
    assert (ines.full_name, ines.roles) == ("Ines K.", ["REP"])
    assert client.session["_auth_user_id"] == str(ines.pk)


def test_accepting_in_somebody_elses_browser_ends_their_session(desk: Client, link: str) -> None:
    desk.post(link, ANSWER)

    assert desk.session["_auth_user_id"] == str(User.objects.get(email="ines@example.com").pk)


def test_a_weak_password_is_explained_and_accepts_nothing(client: Client, link: str) -> None:
    answer = client.post(link, {**ANSWER, "password": "password"})

    assert answer.status_code == 422
    assert "too common" in answer.content.decode()
    assert PASSWORD not in answer.content.decode()
    assert Invitation.objects.get().accepted_at is None


def test_each_kind_of_dead_link_says_what_is_wrong(client: Client, link: str) -> None:
    unknown = client.get("/invitation/not-a-token/").content.decode()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    expired = client.post(link, ANSWER).content.decode()
    Invitation.objects.update(accepted_at=timezone.now())
    used = client.get(link).content.decode()

    assert "This link is not valid" in unknown
    assert "This link is too old" in expired
    assert "This link was used before" in used
    assert User.objects.filter(email="ines@example.com").count() == 0


def test_a_dead_link_is_gone_also_for_machines(client: Client) -> None:
    assert client.get("/invitation/%00%ff/").status_code == 410


def test_who_got_an_account_otherwise_is_sent_to_the_login(client: Client, link: str) -> None:
    make_user(email="ines@example.com")

    answer = client.post(link, ANSWER)

    assert answer.status_code == 410
    assert "You have an account already" in answer.content.decode()


def test_an_invitation_can_be_sent_again_and_withdrawn(desk: Client, link: str) -> None:
    invitation = Invitation.objects.get()

    desk.post(f"/people/invitations/{invitation.pk}/renew/")
    old = Client().get(link)
    desk.post(f"/people/invitations/{invitation.pk}/withdraw/")

    assert old.status_code == 410
    assert Invitation.objects.count() == 0


def test_an_admin_changes_what_a_person_works_on(desk: Client) -> None:
    person, team = make_user(Role.REP), make_team()

    answer = desk.post(
        f"/people/{person.pk}/",
        {"full_name": "New Name", "roles": ["MARKETER"], "sales_team": team.pk},
    )

    person.refresh_from_db()
    assert answer["Location"] == "/people/"
    assert (person.full_name, person.roles, person.sales_team) == ("New Name", ["MARKETER"], team)


def test_the_last_admin_is_kept_with_a_reason(desk: Client, admin: User) -> None:
    answer = desk.post(f"/people/{admin.pk}/", {"full_name": "Ada", "roles": ["REP"]})

    admin.refresh_from_db()
    assert answer.status_code == 422
    assert "Somebody has to be left as admin" in answer.content.decode()
    assert admin.roles == ["ADMIN"]


def test_access_ends_and_comes_back(desk: Client) -> None:
    person = make_user()
    theirs = client_of(person)

    desk.post(f"/people/{person.pk}/deactivate/")
    outside = theirs.get("/preferences/").status_code
    desk.post(f"/people/{person.pk}/reactivate/")
    person.refresh_from_db()
    inside = client_of(person).get("/preferences/").status_code

    assert (outside, inside) == (302, 200)


def test_nobody_ends_their_own_access_here(desk: Client, admin: User) -> None:
    make_user(Role.ADMIN)

    answer = desk.post(f"/people/{admin.pk}/deactivate/", follow=True)

    admin.refresh_from_db()
    assert admin.is_active
    assert "You cannot end your own access" in answer.content.decode()


def test_the_list_of_people_costs_the_same_however_long_it_is(desk: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            desk.get("/people/")
        return len(captured)

    make_user(sales_team=make_team())
    few = queries()
    for _ in range(3):
        make_user(sales_team=make_team())

    assert queries() == few


def test_numbers_too_large_for_any_row_are_simply_not_there(desk: Client) -> None:
    assert desk.get("/people/99999999999999999999999/").status_code == 404


def test_teams_are_added_and_renamed(desk: Client) -> None:
    added = desk.post("/teams/add/", {"name": "DACH", "time_zone": "Europe/Berlin"})
    twin = desk.post("/teams/add/", {"name": "DACH", "time_zone": "UTC"})
    team = SalesTeam.objects.get()
    desk.post(f"/teams/{team.pk}/", {"name": "Nordics", "time_zone": "Europe/Oslo"})

    team.refresh_from_db()
    assert (added.status_code, twin.status_code) == (302, 422)
    assert (team.name, team.time_zone) == ("Nordics", "Europe/Oslo")


def test_teams_show_their_active_members(desk: Client) -> None:
    team = make_team()
    make_user(full_name="Tomas Orlind", sales_team=team)
    make_user(full_name="Left Long Ago", sales_team=team, is_active=False)

    page = desk.get("/teams/").content.decode()

    assert ("Tomas Orlind" in page, "Left Long Ago" in page) == (True, False)


def test_everyone_sets_their_own_name_zone_colours_keys_and_mail() -> None:
    person = make_user()
    browser = client_of(person)

    browser.post(
        "/preferences/",
        {
            "full_name": "Tomas",
            "time_zone": "Europe/Berlin",
            "theme": "DARK",
            "density": "COMPACT",
        },
    )
    page = browser.get("/preferences/").content.decode()

    person.refresh_from_db()
    assert (person.full_name, person.time_zone, person.theme) == ("Tomas", "Europe/Berlin", "DARK")
    assert (person.single_key_shortcuts, person.wants_mail) == (False, False)
    assert 'data-bs-theme="dark"' in page
    assert 'data-density="compact"' in page
    assert 'data-single-keys="off"' in page


@pytest.mark.parametrize(
    "fields",
    [{"time_zone": "Mars/Olympus"}, {"time_zone": ""}, {"theme": "PINK"}, {"density": "TIGHT"}],
)
def test_a_preference_that_is_none_changes_nothing(fields: dict[str, str]) -> None:
    person = make_user(time_zone="Europe/Berlin")
    valid = {"full_name": "Tomas", "time_zone": "UTC", "theme": "DARK"}

    answer = client_of(person).post("/preferences/", {**valid, **fields})

    person.refresh_from_db()
    assert (answer.status_code, person.time_zone, person.theme) == (422, "Europe/Berlin", "AUTO")


def test_nobody_gives_themselves_a_role_through_preferences() -> None:
    person = make_user(Role.REP)
    valid = {"full_name": "Tomas", "time_zone": "UTC", "theme": "AUTO"}

    client_of(person).post("/preferences/", {**valid, "roles": ["ADMIN"], "is_staff": "on"})

    person.refresh_from_db()
    assert (person.roles, person.is_staff) == (["REP"], False)


def test_the_menu_remembers_the_colours() -> None:
    person = make_user()
    browser = client_of(person)

    chosen = browser.post("/preferences/theme/", {"theme": "dark"})
    refused = browser.post("/preferences/theme/", {"theme": "pink"})

    person.refresh_from_db()
    assert (chosen.status_code, refused.status_code, person.theme) == (204, 400, "DARK")


def test_times_are_shown_in_the_viewers_zone(admin: User) -> None:
    Invitation.objects.create(
        email="ines@example.com",
        roles=["REP"],
        token_digest="0" * 64,
        invited_by=admin,
        created_at=timezone.now(),
        expires_at=timezone.now().replace(year=2099, month=5, day=12, hour=22, minute=30),
    )
    User.objects.update(time_zone="Europe/Berlin")

    page = client_of(admin).get("/people/").content.decode()

    assert "Link works until 13 May, 00:30" in page
