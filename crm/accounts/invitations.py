"""The secret of an invitation: made from the site's key, so that no table holds it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from django.utils.crypto import salted_hmac

from crm.accounts.models import Invitation

_SALT = "crm.accounts.invitation"


def make_token(*, email: str, expires_at: datetime) -> str:
    """Return the token of an invitation of ``email``: 256 bits that show neither id nor address."""
    moment = expires_at.astimezone(UTC).isoformat()
    return salted_hmac(_SALT, f"{email}\n{moment}", algorithm="sha256").hexdigest()


def invitation_token(invitation: Invitation) -> str:
    """Return the token of ``invitation`` in its present state; renewing it makes another."""
    return make_token(email=invitation.email, expires_at=invitation.expires_at)


def token_digest(token: str) -> str:
    """Return what is stored of a token, and by which an invitation is found."""
    return hashlib.sha256(token.encode()).hexdigest()
