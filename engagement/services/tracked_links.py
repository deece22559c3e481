"""Links and pixels of mails: what stands in a mail, and what happens when somebody follows it.

A redirect always serves: all that a link is stands sealed in its address, so that it works, and a
hidden one still betrays machines, while the database does not.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.urls import reverse

from engagement.classify import classify
from engagement.collector.payloads import Taken
from engagement.collector.rows import rows_of
from engagement.collector.spool import Spool, SpoolFull
from engagement.enums import OWN_SOURCE, Actor, LinkReason
from engagement.models import TrackedLink
from engagement.services.intake import receive
from engagement.services.judging import Surroundings, hosting_networks
from engagement.tokens import prove, read, sign

logger = logging.getLogger(__name__)

LONGEST_TARGET = 1000
LONGEST_MAILING = 100
_CLICK, _OPEN = "click", "open"
#: The parameter of a landing page by which its visitor is known.
PROOF_PARAMETER = "baton_t"
_is_address = URLValidator(schemes=["http", "https"])


class TargetInvalid(ValueError):
    """A link must lead to an http or https address of at most ``LONGEST_TARGET`` characters."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a link or pixel: when, how, and what it tells of its sender.

    ``method`` is GET or HEAD; ``address``, ``agent`` and ``purpose`` as in ``InboxMessage.meta``.
    """

    at: datetime
    method: str
    address: str
    agent: str
    purpose: str

    @property
    def meta(self) -> dict[str, str]:
        """Return what goes beside the message."""
        return {"address": self.address, "agent": self.agent, "purpose": self.purpose}


@transaction.atomic
def make_tracked_link(
    *, target: str, now: datetime, mailing: str = "", is_hidden: bool = False
) -> TrackedLink:
    """Return the link of ``mailing`` that leads to ``target``; made now unless it is there.

    Args:
        target: an http or https address.
        now: when it is made.
        mailing: the mail or page that it stands in, at most ``LONGEST_MAILING`` characters.
        is_hidden: whether people cannot see it, so that who follows it is a machine.

    Raises:
        TargetInvalid: the target is no such address.
    """
    _check(target)
    link, _ = TrackedLink.objects.get_or_create(
        target=target,
        mailing=mailing[:LONGEST_MAILING],
        is_hidden=is_hidden,
        defaults={"created_at": now},
    )
    return link


def link_url(*, link: TrackedLink, lead_id: int, now: datetime) -> str:
    """Return the address by which one lead follows a link; no id can be read in it."""
    click = _Click(link.pk, lead_id, link.target, link.mailing, link.is_hidden)
    token = sign(_CLICK, astuple(click), now=now)
    return settings.PUBLIC_URL + reverse("engagement:follow", args=[token])


def pixel_url(*, mailing: str, lead_id: int, now: datetime) -> str:
    """Return the address of the picture that tells that one lead opened a mail."""
    token = sign(_OPEN, [mailing[:LONGEST_MAILING], lead_id], now=now)
    return settings.PUBLIC_URL + reverse("engagement:pixel", args=[token])


def follow_link(*, token: str, visit: Visit, is_recorded: bool = True) -> str:
    """Record that somebody followed a link, and return where it leads.

    What is recorded is durable before this returns; when the database is in trouble the visitor is
    served all the same. To a site of ours a person gets a proof of who they are along.

    Args:
        token: from an address made by ``link_url``.
        visit: the request.
        is_recorded: False for one too many.

    Raises:
        TokenInvalid: the token is none of ours.
    """
    click = _Click(*read(_CLICK, token, now=visit.at))
    if is_recorded:
        _record(click.name(visit), "Email clicked", click.lead_id, visit, click.told(visit))
    if (
        visit.method == "HEAD"
        or click.is_hidden
        or _is_machine(visit)
        or not _is_ours(click.target)
    ):
        return click.target
    return _with_proof(click.target, click.lead_id, visit.at)


def record_open(*, token: str, visit: Visit, is_recorded: bool = True) -> None:
    """Record that somebody, or their mail program, loaded the picture of a mail.

    Args:
        token: from an address made by ``pixel_url``.
        visit: the request.
        is_recorded: False for one too many.

    Raises:
        TokenInvalid: the token is none of ours.
    """
    mailing, lead_id = read(_OPEN, token, now=visit.at)
    name = f"open:{visit.method}:{mailing}:{lead_id}:{visit.at:%Y%m%d%H%M%S}"
    if is_recorded:
        _record(name, "Email opened", lead_id, visit, {"mailing": mailing})


@dataclass(frozen=True, slots=True)
class _Click:
    """What the address of a link says: which link it is, what that is, and who follows it."""

    link_id: int
    lead_id: int
    target: str
    mailing: str
    is_hidden: bool

    def name(self, visit: Visit) -> str:
        """Return the id of the message; the same within one second is one, a double click."""
        return f"click:{visit.method}:{self.link_id}:{self.lead_id}:{visit.at:%Y%m%d%H%M%S}"

    def told(self, visit: Visit) -> dict[str, Any]:
        """Return what the event keeps."""
        told: dict[str, Any] = {
            "tracked_link": str(self.link_id), "mailing": self.mailing, "url": self.target,
        }  # fmt: skip
        if visit.method == "HEAD":
            told["method"] = "HEAD"
        if self.is_hidden:
            told["is_hidden"] = True
        return told


def _record(name: str, event: str, lead_id: int, visit: Visit, told: Mapping[str, Any]) -> None:
    """Keep a message of our own: in the inbox, or on the disk until the database is back."""
    body = {
        "messageId": name, "type": "track", "event": event, "leadId": lead_id, "properties": told,
    }  # fmt: skip
    try:
        receive(source=OWN_SOURCE, messages=[body], received_at=visit.at, meta=visit.meta)
    except DatabaseTrouble:
        logger.exception("The database takes no click; keeping it on the disk")
        _spool(Taken(0, name, json.dumps(body).encode(), None), visit)


def _spool(message: Taken, visit: Visit) -> None:
    """Leave a message where the collector finds it; a visitor is served even if that fails."""
    meta = json.dumps(visit.meta)
    rows = rows_of([message], source=OWN_SOURCE, received_at=visit.at, meta=meta)
    try:
        spool = Spool(settings.COLLECTOR_SPOOL, limit=settings.COLLECTOR_SPOOL_BYTES)
        spool.append(rows)
        spool.close()
    except (OSError, SpoolFull):
        logger.exception("Lost a click: neither the database nor the disk takes it")


def _is_machine(visit: Visit) -> bool:
    verdict = classify(
        agent=visit.agent,
        purpose=visit.purpose,
        address=visit.address,
        networks=hosting_networks(),
    )
    return verdict.actor is Actor.MACHINE


def _is_ours(target: str) -> bool:
    """Say whether an address is on a site of ours: other sites are not told who follows a link."""
    try:
        own_hosts = Surroundings.load().own_hosts
    except DatabaseTrouble:
        return False
    host = urlsplit(target).hostname or ""
    return host.removeprefix("www.") in {own.removeprefix("www.") for own in own_hosts}


def _with_proof(target: str, lead_id: int, now: datetime) -> str:
    """Return an address with the proof among its parameters, and all else as it was."""
    parts = urlsplit(target)
    proof = f"{PROOF_PARAMETER}={prove(lead_id=lead_id, reason=LinkReason.EMAIL_CLICK, now=now)}"
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, proof]))))


def _check(target: str) -> None:
    try:
        _is_address(target)
    except ValidationError:
        raise TargetInvalid(f"{target[:60]!r} is not an http or https address") from None
    if len(target) > LONGEST_TARGET:
        raise TargetInvalid(f"The address is longer than {LONGEST_TARGET} characters")
