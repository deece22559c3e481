"""Everything that changes people, teams and invitations."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, connection, transaction

from crm.accounts.enums import Density, MailWhen, Role
from crm.accounts.invitations import make_token, token_digest
from crm.accounts.models import Invitation, SalesTeam, User
from crm.accounts.signals import invited, stopped_selling

FIRST_ADMIN_LOCK = 0x42_41_54_4F_4E  # any number that no other advisory lock uses


class AddressTaken(Exception):
    """A person with this e-mail address exists."""


class InvitationUnknown(Exception):
    """No invitation has this token; it may have been renewed or withdrawn."""


class InvitationUsed(Exception):
    """The invitation has been accepted before."""


class InvitationExpired(Exception):
    """The invitation was not accepted in time."""


class LastAdmin(Exception):
    """Nobody would be left to administer Baton."""


class CannotDeactivateYourself(Exception):
    """People leave by somebody else's hand."""


class AlreadySetUp(Exception):
    """Somebody exists, so there is no first admin to make."""


class TeamNameTaken(Exception):
    """Another team has this name."""


@transaction.atomic
def invite(
    *,
    email: str,
    full_name: str,
    roles: Sequence[Role],
    sales_team: SalesTeam | None,
    invited_by: User,
    now: datetime,
) -> Invitation:
    """Promise an account; an open invitation of the same address is replaced.

    Raises:
        AddressTaken: the person exists, active or not.
    """
    email = email.strip().lower()
    if User.objects.filter(email=email).exists():
        raise AddressTaken(email)
    expires_at = now + settings.INVITATION_LIFETIME
    invitation, _ = Invitation.objects.update_or_create(
        email=email,
        accepted_at=None,
        defaults={
            "full_name": full_name,
            "roles": list(roles),
            "sales_team": sales_team,
            "invited_by": invited_by,
            "token_digest": token_digest(make_token(email=email, expires_at=expires_at)),
            "created_at": now,
            "expires_at": expires_at,
        },
    )
    invited.send(sender=Invitation, invitation=invitation, now=now)
    return invitation


@transaction.atomic
def renew_invitation(*, invitation_id: int, now: datetime) -> Invitation:
    """Send an invitation again with a new link; the old link stops working.

    Raises:
        InvitationUsed: it has been accepted.
    """
    invitation = Invitation.objects.select_for_update().get(pk=invitation_id)
    if invitation.accepted_at is not None:
        raise InvitationUsed
    invitation.expires_at = now + settings.INVITATION_LIFETIME
    token = make_token(email=invitation.email, expires_at=invitation.expires_at)
    invitation.token_digest = token_digest(token)
    invitation.save(update_fields=["expires_at", "token_digest"])
    invited.send(sender=Invitation, invitation=invitation, now=now)
    return invitation


def withdraw_invitation(*, invitation_id: int) -> None:
    """Take an invitation back unless it has been accepted; its link stops working."""
    Invitation.objects.filter(pk=invitation_id, accepted_at__isnull=True).delete()


def find_invitation(*, token: str, now: datetime) -> Invitation:
    """Return the invitation that ``token`` opens.

    Raises:
        InvitationUnknown: none has this token.
        InvitationUsed: it has been accepted.
        InvitationExpired: its time is over.
    """
    return _opened_by(token, now, lock=False)


@transaction.atomic
def accept_invitation(*, token: str, full_name: str, password: str, now: datetime) -> User:
    """Make the promised account; of two at once, one is told that the invitation is used.

    Raises:
        InvitationUnknown, InvitationUsed, InvitationExpired: see ``find_invitation``.
        AddressTaken: a person of this address came into being by another way.
        ValidationError: the password is too weak.
    """
    invitation = _opened_by(token, now, lock=True)
    person = User(
        email=invitation.email,
        full_name=full_name,
        roles=invitation.roles,
        sales_team=invitation.sales_team,
        time_zone=invitation.sales_team.time_zone if invitation.sales_team else settings.TIME_ZONE,
    )
    validate_password(password, person)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        raise AddressTaken(invitation.email) from error
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    return person


@transaction.atomic
def create_first_admin(*, email: str, full_name: str, password: str) -> User:
    """Make the first person of a new installation; of two at once, one is refused.

    Raises:
        AlreadySetUp: somebody exists.
        ValidationError: the password is too weak.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_ADMIN_LOCK])
    if User.objects.exists():
        raise AlreadySetUp
    validate_password(password, User(email=email, full_name=full_name))
    return User.objects.create_superuser(email=email, full_name=full_name, password=password)


@transaction.atomic
def update_person(
    *,
    user_id: int,
    full_name: str,
    roles: Sequence[Role],
    sales_team: SalesTeam | None,
    now: datetime,
) -> User:
    """Change what a person is called, works on and belongs to.

    Raises:
        LastAdmin: the only active admin would lose the role.
    """
    if Role.ADMIN not in roles:
        _keep_an_admin(besides=user_id)
    person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
    was_rep = person.has_role(Role.REP)
    person.full_name, person.roles, person.sales_team = full_name, list(roles), sales_team
    person.save(update_fields=["full_name", "roles", "sales_team"])
    if was_rep and not person.has_role(Role.REP):
        stopped_selling.send(sender=User, person=person, now=now)
    return person


@transaction.atomic
def deactivate_user(*, user_id: int, actor: User, now: datetime) -> None:
    """End a person's access and sessions at once; what they did stays under their name.

    Raises:
        CannotDeactivateYourself: the actor is that person.
        LastAdmin: no active admin would be left.
    """
    if user_id == actor.pk:
        raise CannotDeactivateYourself
    _keep_an_admin(besides=user_id)
    person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)
    person.is_active, person.times_deactivated = False, person.times_deactivated + 1
    person.save(update_fields=["is_active", "times_deactivated"])
    stopped_selling.send(sender=User, person=person, now=now)


def reactivate_user(*, user_id: int) -> None:
    """Let a person log in again with the roles they had."""
    User.objects.filter(pk=user_id).update(is_active=True)


def update_preferences(
    *,
    user: User,
    full_name: str,
    time_zone: str,
    theme: str,
    single_key_shortcuts: bool,
    wants_mail: bool,
    mail_when: str = MailWhen.AT_ONCE,
    mail_of_kinds: Mapping[str, str] | None = None,
    only_at_work: bool = False,
    webhook_url: str = "",
    density: str = Density.COMFORTABLE,
) -> None:
    """Change how Baton looks and speaks to one person; a first webhook makes its secret."""
    user.full_name, user.time_zone = full_name, time_zone
    user.theme, user.density = theme, density
    user.single_key_shortcuts, user.wants_mail = single_key_shortcuts, wants_mail
    user.mail_when, user.only_at_work, user.webhook_url = mail_when, only_at_work, webhook_url
    user.mail_of_kinds = dict(mail_of_kinds or {})
    if webhook_url and not user.webhook_secret:
        key = base64.b64encode(secrets.token_bytes(24)).decode()
        user.webhook_secret = f"whsec_{key}"
    user.save(
        update_fields=[
            "full_name", "time_zone", "theme", "density", "single_key_shortcuts", "wants_mail",
            "mail_when", "only_at_work", "webhook_url", "mail_of_kinds", "webhook_secret",
        ]
    )  # fmt: skip


def set_theme(*, user: User, theme: str) -> None:
    """Remember which colours a person chose."""
    user.theme = theme
    user.save(update_fields=["theme"])


def create_team(*, name: str, time_zone: str) -> SalesTeam:
    """Add a sales team.

    Raises:
        TeamNameTaken: another team has this name.
    """
    return _save_team(SalesTeam(), name, time_zone)


def update_team(*, team_id: int, name: str, time_zone: str) -> SalesTeam:
    """Rename a team or move it to another time zone.

    Raises:
        TeamNameTaken: another team has this name.
    """
    return _save_team(SalesTeam.objects.get(pk=team_id), name, time_zone)


def _save_team(team: SalesTeam, name: str, time_zone: str) -> SalesTeam:
    team.name, team.time_zone = name, time_zone
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as error:
        raise TeamNameTaken(name) from error
    return team


def _opened_by(token: str, now: datetime, *, lock: bool) -> Invitation:
    """Find by digest: who reads the table cannot use it, and time tells nothing of it."""
    rows = Invitation.objects.select_for_update(of=("self",)) if lock else Invitation.objects.all()
    invitation = rows.filter(token_digest=token_digest(token)).first()
    if invitation is None:
        raise InvitationUnknown
    if invitation.accepted_at is not None:
        raise InvitationUsed
    if invitation.expires_at <= now:
        raise InvitationExpired
    return invitation


def _keep_an_admin(*, besides: int) -> None:
    """Refuse to go on when ``besides`` is the last active admin.

    All admins are locked, in one order: two who remove each other are served one after the other.
    """
    admins = User.objects.filter(is_active=True, roles__contains=[Role.ADMIN])
    ids = list(admins.select_for_update().order_by("pk").values_list("pk", flat=True))
    if ids == [besides]:
        raise LastAdmin
