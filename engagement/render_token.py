"""The token that a form carries: which version was shown, when, and a name for its sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from engagement import tokens
from engagement.suspicion import LONGEST, SHORTEST

_PURPOSE = "form"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class RenderToken:
    """One making of a form's page. ``nonce`` is what makes sending it twice one submission."""

    version_id: int
    nonce: str
    made_at: datetime

    @classmethod
    def new(cls, version_id: int, *, now: datetime, is_repeat: bool = False) -> RenderToken:
        """Make one; a person who saw the page before (``is_repeat``) may send at once."""
        return cls(version_id, token_hex(16), now - SHORTEST if is_repeat else now)

    def sealed(self) -> str:
        """Return it as text of a hidden field."""
        made = (self.made_at - datetime.fromtimestamp(0, UTC)) // _MILLISECOND
        return tokens.sign(_PURPOSE, [self.version_id, self.nonce, made], now=self.made_at)


def read_token(text: str, *, now: datetime) -> RenderToken:
    """Return the token that ``text`` holds.

    Raises:
        TokenInvalid: when it is none of ours, or older than a page may be.
    """
    version_id, nonce, made = tokens.read(_PURPOSE, text, now=now)
    made_at = datetime.fromtimestamp(0, UTC) + made * _MILLISECOND
    if now - made_at > LONGEST:
        raise tokens.TokenInvalid
    return RenderToken(version_id, nonce, made_at)
