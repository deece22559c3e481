"""Tokens in links: sealed, so that nobody can read an id in one, alter it or make one up.

Fernet (AES and HMAC) rather than Django's signatures, which show what they sign. Each purpose has a
key of its own, made from ``SECRET_KEY``: a token for one purpose is none for another. Tokens sealed
under a key of ``SECRET_KEY_FALLBACKS`` are still read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from engagement.enums import LinkReason

#: What is sealed may be this long, in bytes of JSON: our longest is the address of a link, up to
#: 1,000 characters of up to six bytes, and the mailing of up to 100.
LONGEST_PAYLOAD = 7_000
#: Longer is no token of ours; checked before anything is computed. Fernet adds 57 bytes and fills
#: the last block of 16, and writes three bytes as four characters.
_LONGEST = (LONGEST_PAYLOAD + 57 + 16) * 4 // 3 + 1
_PROOF = "proof"
#: A landing page's address can be copied and passed on, so what it proves ends soon. Our choice:
#: long enough for a slow page and for a visitor who grants consent late.
PROOF_LASTS = timedelta(minutes=30)


class TokenInvalid(Exception):
    """A token is forged, damaged, for something else, or too old."""


@dataclass(frozen=True, slots=True)
class Proof:
    """That whoever carries it is a lead, and by what we know."""

    lead_id: int
    reason: LinkReason


def sign(purpose: str, payload: Any, *, now: datetime) -> str:
    """Return ``payload`` (JSON) sealed for ``purpose``: letters, digits, ``-`` and ``_``.

    Raises:
        ValueError: the payload is longer than ``LONGEST_PAYLOAD``: nobody would read the token.
    """
    content = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    if len(content) > LONGEST_PAYLOAD:
        raise ValueError(f"{len(content)} bytes are too long for a token")
    sealed = _cipher(purpose).encrypt_at_time(content, int(now.timestamp()))
    return sealed.decode().rstrip("=")


def read(purpose: str, token: str, *, now: datetime, max_age: timedelta | None = None) -> Any:
    """Return what was sealed for ``purpose``, at most ``max_age`` before ``now``.

    Raises:
        TokenInvalid: the token is forged, damaged, for another purpose, or too old.
    """
    if len(token) > _LONGEST or not token.isascii():
        raise TokenInvalid
    padded = token.encode() + b"=" * (-len(token) % 4)
    cipher, at = _cipher(purpose), int(now.timestamp())
    try:
        if max_age is None:
            return json.loads(cipher.decrypt(padded))
        return json.loads(cipher.decrypt_at_time(padded, int(max_age.total_seconds()), at))
    except InvalidToken:
        raise TokenInvalid from None


def prove(*, lead_id: int, reason: LinkReason, now: datetime) -> str:
    """Return the token that a landing page gets as ``baton_t``: its visitor is this lead."""
    return sign(_PROOF, [lead_id, reason.value], now=now)


def proof_of(token: str, *, now: datetime) -> Proof | None:
    """Return whom a ``baton_t`` proves its visitor to be at ``now``; None when it proves nothing.

    ``now`` is when the server had the message that carries it, however late it is read.
    """
    try:
        lead_id, reason = read(_PROOF, token, now=now, max_age=PROOF_LASTS)
    except TokenInvalid:
        return None
    return Proof(lead_id, LinkReason(reason))


def _cipher(purpose: str) -> MultiFernet:
    return _cipher_of(purpose, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=32)
def _cipher_of(purpose: str, secrets: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_key(purpose, secret)) for secret in secrets])


def _key(purpose: str, secret: str) -> bytes:
    name = f"engagement.tokens:{purpose}".encode()
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), name, hashlib.sha256))
