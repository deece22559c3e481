"""Inviting, renewing, withdrawing and accepting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.urls import reverse

from crm.accounts import services
from crm.accounts.enums import Role
from crm.accounts.invitations import invitation_token, token_digest
from crm.accounts.models import Invitation, User
from crm.common.models import OutboxMessage
from crm.common.outbox import dispatch_outbox
from tests.concurrency import side_by_side
from tests.factories import PASSWORD, client_of, make_team, make_user

NOW = datetime(2026, 5, 12, 8, 42, tzinfo=UTC)


def invite(email: str = "Ines@Example.com", *, at: datetime = NOW, by: User | None = None) -> str:
    """Invite, and return the token of the link."""
    invitation = services.invite(
        email=email,
        full_name="Ines Kallweit",
        roles=[Role.REP],
        sales_team=None,
        invited_by=by or make_user(Role.ADMIN),
        now=at,
    )
    return invitation_token(invitation)


def accept(token: str, *, at: datetime = NOW, password: str = PASSWORD) -> User:
    return services.accept_invitation(
        token=token, full_name="Ines Kallweit", password=password, now=at
    )


@pytest.mark.django_db
def test_an_accepted_invitation_is_an_account_with_what_was_promised() -> None:
    team = make_team(time_zone="Europe/Berlin")
    invitation = services.invite(
        email="Ines@Example.com",
        full_name="",
        roles=[Role.REP, Role.MANAGER],
        sales_team=team,
        invited_by=make_user(Role.ADMIN),
        now=NOW,
    )

    person = accept(invitation_token(invitation))

    person.refresh_from_db()
    assert (person.email, person.full_name) == ("ines@example.com", "Ines Kallweit")
    assert (person.roles, person.sales_team) == ([Role.REP, Role.MANAGER], team)
    assert person.time_zone == "Europe/Berlin"
    assert person.check_password(PASSWORD)


@pytest.mark.django_db
def test_no_table_holds_what_opens_the_link() -> None:
    token = invite()

    invitation = Invitation.objects.get()
    assert invitation.token_digest == token_digest(token)
    assert token not in str(list(OutboxMessage.objects.values()))
    assert len(token) == 64


@pytest.mark.django_db
def test_the_mail_carries_the_link_and_when_it_ends_where_who_invites_lives() -> None:
    token = invite(by=make_user(Role.ADMIN, time_zone="Europe/Berlin"))

    dispatch_outbox(now=NOW)

    assert mail.outbox[0].to == ["ines@example.com"]
    assert f"/invitation/{token}/" in mail.outbox[0].body
    assert "19 May 2026, 10:42 (Europe/Berlin)" in mail.outbox[0].body


@pytest.mark.django_db
def test_an_invitation_that_was_accepted_before_its_mail_went_is_not_mailed() -> None:
    accept(invite())

    dispatch_outbox(now=NOW)

    assert mail.outbox == []


@pytest.mark.django_db
def test_a_link_works_once() -> None:
    token = invite()
    accept(token)

    with pytest.raises(services.InvitationUsed):
        accept(token)
    assert User.objects.filter(email="ines@example.com").count() == 1


@pytest.mark.django_db
def test_a_link_works_until_its_last_instant_and_not_at_it() -> None:
    token = invite()
    week = timedelta(days=7)

    with pytest.raises(services.InvitationExpired):
        accept(token, at=NOW + week)
    assert accept(token, at=NOW + week - timedelta(microseconds=1)).pk


@pytest.mark.django_db
def test_an_unknown_link_says_so() -> None:
    invite()

    with pytest.raises(services.InvitationUnknown):
        accept("0" * 64)


@pytest.mark.django_db
def test_a_renewed_link_replaces_the_old_one() -> None:
    old = invite()
    invitation = services.renew_invitation(
        invitation_id=Invitation.objects.get().pk, now=NOW + timedelta(days=8)
    )

    with pytest.raises(services.InvitationUnknown):
        accept(old, at=NOW + timedelta(days=8))
    assert accept(invitation_token(invitation), at=NOW + timedelta(days=14)).pk


@pytest.mark.django_db
def test_renewing_sends_one_mail_and_overtakes_the_waiting_one() -> None:
    invite()
    services.renew_invitation(
        invitation_id=Invitation.objects.get().pk, now=NOW + timedelta(days=1)
    )

    dispatch_outbox(now=NOW + timedelta(days=1))

    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_an_accepted_invitation_cannot_be_renewed() -> None:
    accept(invite())

    with pytest.raises(services.InvitationUsed):
        services.renew_invitation(invitation_id=Invitation.objects.get().pk, now=NOW)


@pytest.mark.django_db
def test_a_withdrawn_link_is_void_and_its_mail_stays_in() -> None:
    token = invite()
    services.withdraw_invitation(invitation_id=Invitation.objects.get().pk)

    dispatch_outbox(now=NOW)

    with pytest.raises(services.InvitationUnknown):
        accept(token)
    assert mail.outbox == []


@pytest.mark.django_db
def test_inviting_an_address_again_replaces_the_open_invitation() -> None:
    old = invite()
    new = invite("ines@example.com", at=NOW + timedelta(hours=1))

    assert Invitation.objects.count() == 1
    with pytest.raises(services.InvitationUnknown):
        accept(old)
    assert accept(new).pk


@pytest.mark.django_db
@pytest.mark.parametrize("is_active", [True, False])
def test_who_has_an_account_is_not_invited(is_active: bool) -> None:
    make_user(email="ines@example.com", is_active=is_active)

    with pytest.raises(services.AddressTaken):
        invite("INES@example.com")


@pytest.mark.django_db
def test_an_account_that_came_first_by_another_way_is_left_alone() -> None:
    token = invite()
    first = make_user(email="ines@example.com", full_name="First")

    with pytest.raises(services.AddressTaken):
        accept(token)
    first.refresh_from_db()
    assert first.full_name == "First"
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.django_db
@pytest.mark.parametrize("weak", ["short", "password123", "kallweit-kallweit"])
def test_a_weak_password_is_refused_and_the_link_stays_good(weak: str) -> None:
    token = invite("kallweit-kallweit@example.com")

    with pytest.raises(ValidationError):
        accept(token, password=weak)
    assert accept(token).pk


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_one_is_told_that_the_link_is_used() -> None:
    token = invite()

    outcomes = side_by_side(lambda: accept(token), lambda: accept(token))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InvitationUsed", "User"]
    assert User.objects.filter(email="ines@example.com").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_invite_one_address_at_once_one_invitation_comes() -> None:
    admin = make_user(Role.ADMIN)

    side_by_side(lambda: invite(by=admin), lambda: invite(by=admin, at=NOW + timedelta(seconds=1)))

    assert Invitation.objects.count() == 1


@pytest.mark.django_db
def test_the_database_refuses_a_second_open_invitation_of_an_address() -> None:
    invite()
    twin = Invitation.objects.get()
    twin.pk, twin.token_digest = None, "0" * 64

    with pytest.raises(IntegrityError, match="invitation_one_open_per_address"):
        twin.save(force_insert=True)


@pytest.mark.django_db
def test_an_invited_admin_enters_the_django_admin_while_active() -> None:
    invitation = services.invite(
        email="a@example.com",
        full_name="A",
        roles=[Role.ADMIN],
        sales_team=None,
        invited_by=make_user(Role.ADMIN),
        now=NOW,
    )
    admin = accept(invitation_token(invitation))

    page = client_of(admin).get(reverse("admin:handoff_sourceowner_changelist"))
    admin.is_active = False

    assert page.status_code == 200
    assert not admin.has_perm("handoff.change_sourceowner")
    assert not admin.has_module_perms("handoff")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("invitation_email_is_lower", {"email": "Ines@Example.com"}),
        ("invitation_roles_are_known", {"roles": ["OWNER"]}),
    ],
)
def test_the_database_refuses_an_invitation_that_no_account_could_be_made_of(
    constraint: str, fields: dict[str, object]
) -> None:
    invite()

    with pytest.raises(IntegrityError, match=constraint):
        Invitation.objects.update(**fields)
