"""How allauth behaves here: nobody registers themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from crm.accounts.lockout import one_attempt_at_a_time


class InvitationOnlyAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # it is untyped
    """Accounts come from invitations only; see ``crm.accounts.services.accept_invitation``."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 -- its signature
        """Refuse allauth's own sign-up page."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Leave wrong passwords to axes: one lock-out, with one page that says until when.

        Wrong one-time codes go another way, and are counted by allauth.
        """

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Try a password once those tried before it are counted."""
        with one_attempt_at_a_time(request, credentials):
            person: AbstractBaseUser | None = super().authenticate(request, **credentials)
            return person
