"""Who is asking: the two questions that every request begins with, each composed once."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from crm.accounts.models import User
from crm.common.prepared import PreparedQuery

_LIVE = PreparedQuery(lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now))
_PERSON = PreparedQuery(lambda pk: User.objects.filter(pk=pk))


class SessionStore(db.SessionStore):
    """Sessions in the database, as Django keeps them."""

    def load(self) -> dict[str, Any]:
        """Return what a session knows; one that is unknown or over is forgotten."""
        found = _LIVE.ask(self.session_key, timezone.now())
        if found:
            return self.decode(found[0].session_data)
        self._session_key = None
        return {}


class LoginBackend(AuthenticationBackend):  # type: ignore[misc]  # untyped library
    """Logs people in by e-mail address and password, as allauth does."""

    def get_user(self, user_id: int) -> User | None:
        """Return the person of a session; nobody, once their access has ended."""
        found = _PERSON.ask(user_id)
        return found[0] if found and self.user_can_authenticate(found[0]) else None
