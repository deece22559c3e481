from __future__ import annotations

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils import timezone

from crm.accounts import services
from crm.accounts.enums import Role
from crm.accounts.invitations import invitation_token
from crm.accounts.models import Invitation, User
from tests.access import ADMIN, PEOPLE, Arguments, closed, public, row
from tests.factories import PASSWORD, make_team, make_user


def some_person(_viewer: User) -> Arguments:
    return {"user_id": make_user().pk}


def some_team(_viewer: User) -> Arguments:
    return {"team_id": make_team().pk}


def some_invitation(_viewer: User) -> Arguments:
    return {"invitation_id": _invite().pk}


def link_of_an_invitation(_viewer: User) -> Arguments:
    return {"token": invitation_token(_invite())}


def with_password(viewer: User) -> Arguments:
    viewer.set_password(PASSWORD)
    viewer.save(update_fields=["password"])
    return {}


def with_second_factor(viewer: User) -> Arguments:
    TOTP.activate(viewer, generate_totp_secret())
    RecoveryCodes.activate(viewer)
    return {}


def _invite() -> Invitation:
    return services.invite(
        email=f"new{User.objects.count()}.{Invitation.objects.count()}@example.com",
        full_name="",
        roles=[Role.REP],
        sales_team=None,
        invited_by=make_user(Role.ADMIN),
        now=timezone.now(),
    )


ROWS = [
    row("accounts:people", ADMIN),
    row("accounts:invite", ADMIN),
    row("accounts:person", ADMIN, own=some_person),
    row("accounts:deactivate", ADMIN, own=some_person, method="post"),
    row("accounts:reactivate", ADMIN, own=some_person, method="post"),
    row("accounts:invitation_renew", ADMIN, own=some_invitation, method="post"),
    row("accounts:invitation_withdraw", ADMIN, own=some_invitation, method="post"),
    row("accounts:teams", ADMIN),
    row("accounts:team_add", ADMIN),
    row("accounts:team", ADMIN, own=some_team),
    public("accounts:accept_invitation", own=link_of_an_invitation),
    row("accounts:preferences", *PEOPLE),
    row("accounts:theme", *PEOPLE, method="post", data={"theme": "dark"}),
    # Pages of allauth
    public("account_login"),
    public("account_logout"),
    public("account_inactive"),
    public("account_signup"),
    closed("account_email"),
    public("account_email_verification_sent"),
    public("account_confirm_email", own=lambda _: {"key": "no-key"}),
    public("account_reset_password"),
    public("account_reset_password_done"),
    public("account_reset_password_from_key", own=lambda _: {"uidb36": "1", "key": "no-key"}),
    public("account_reset_password_from_key_done"),
    row("account_confirm_login_code", *PEOPLE),
    row("account_reauthenticate", *PEOPLE, own=with_password),
    row("account_change_password", *PEOPLE),
    row("account_set_password", *PEOPLE),
    row("mfa_index", *PEOPLE),
    row("mfa_authenticate", *PEOPLE),
    row("mfa_reauthenticate", *PEOPLE, own=with_second_factor),
    row("mfa_activate_totp", *PEOPLE),
    row("mfa_deactivate_totp", *PEOPLE, own=with_second_factor),
    row("mfa_view_recovery_codes", *PEOPLE, own=with_second_factor),
    row("mfa_generate_recovery_codes", *PEOPLE, own=with_second_factor),
    row("mfa_download_recovery_codes", *PEOPLE, own=with_second_factor),
]
