"""allauth's forms in the words of Baton: sentence case, and labels instead of placeholders."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp

_LABELS = {
    "login": "E-mail",
    "email": "E-mail",
    "remember": "Keep me logged in",
    "oldpassword": "Present password",
    "password1": "New password",
    "password2": "New password, again",
    "code": "Code",
}


class OurWords:
    """Name the fields as Baton does; each label says what a placeholder would."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Relabel the fields that allauth made."""
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():  # type: ignore[attr-defined]  # mixed into a form
            field.label = _LABELS.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)


class LoginForm(OurWords, account.LoginForm):  # type: ignore[misc]  # untyped
    """Address and password."""


class ResetPasswordForm(OurWords, account.ResetPasswordForm):  # type: ignore[misc]  # untyped
    """Where the link for a new password goes."""


class ResetPasswordKeyForm(OurWords, account.ResetPasswordKeyForm):  # type: ignore[misc]  # untyped
    """The new password, behind the link."""


class ChangePasswordForm(OurWords, account.ChangePasswordForm):  # type: ignore[misc]  # untyped
    """The present password and a new one."""


class ReauthenticateForm(OurWords, account.ReauthenticateForm):  # type: ignore[misc]  # untyped
    """The password once more, before the login is changed."""


class CodeForm(OurWords, mfa.AuthenticateForm):  # type: ignore[misc]  # untyped
    """The second factor at the login."""


class CodeAgainForm(OurWords, mfa.ReauthenticateForm):  # type: ignore[misc]  # untyped
    """The second factor once more, before the login is changed."""


class ActivateCodesForm(OurWords, totp.ActivateTOTPForm):  # type: ignore[misc]  # untyped
    """The first code of a new authenticator app."""
