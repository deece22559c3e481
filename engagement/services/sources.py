"""Sources: who may send events, and with which key."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from crm.accounts.models import User
from engagement.enums import SourceKind
from engagement.models import Source

#: Of a key; it has to be out of reach of guessing, since that of a server is believed.
_KEY_BYTES = 16


class SourceNameTaken(Exception):
    """Another source has the name, or messages of our own go under it."""


def create_source(
    *,
    name: str,
    label: str,
    kind: SourceKind,
    now: datetime,
    actor: User | None = None,
    allowed_origins: Sequence[str] = (),
    rate_limit: int = 1000,
    address_rate_limit: int = 50,
    asks_consent: bool = False,
) -> Source:
    """Add a source with a new key of 128 bits.

    Args:
        name: what its messages go under, for ever.
        label: what people call it.
        kind: whether every visitor can read the key, or a server keeps it secret.
        now: time of the act.
        actor: who adds it.
        allowed_origins: as ``engagement.origins`` spells them; none allows all.
        rate_limit: messages a second of the whole source.
        address_rate_limit: messages a second of one network address.
        asks_consent: whether the tracker waits for the visitor's consent.

    Raises:
        SourceNameTaken: the name is in use, or reserved for Baton itself.
    """
    try:
        with transaction.atomic():
            return Source.objects.create(
                name=name,
                label=label,
                kind=kind,
                write_key=secrets.token_hex(_KEY_BYTES),
                allowed_origins=list(allowed_origins),
                rate_limit=rate_limit,
                address_rate_limit=address_rate_limit,
                asks_consent=asks_consent,
                created_at=now,
                created_by=actor,
            )
    except IntegrityError as error:
        raise SourceNameTaken(name) from error


def update_source(
    *,
    source_id: int,
    label: str,
    allowed_origins: Sequence[str],
    rate_limit: int,
    address_rate_limit: int,
    asks_consent: bool,
) -> None:
    """Change a source; its name, kind and key stay, since messages and sites hold on to them."""
    Source.objects.filter(pk=source_id).update(
        label=label,
        allowed_origins=list(allowed_origins),
        rate_limit=rate_limit,
        address_rate_limit=address_rate_limit,
        asks_consent=asks_consent,
    )


def switch_source(*, source_id: int, is_active: bool) -> None:
    """Let a source send, or refuse what comes with its key; the collector follows in seconds."""
    Source.objects.filter(pk=source_id).update(is_active=is_active)
