"""One Segment-style message: what it says happened, when, and who says they did it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from engagement.enums import ClockFault, EventKind
from engagement.storable import Problem, Refused
from leads.normalise import NotAnEmail, normalise_email

LONGEST_ID = 200
#: The property that keeps what an offer said of its fast track when it was accepted.
FAST_TRACK = "fast_track"
LONGEST_NAME = 200
LONGEST_URL = 2000
#: Before this nobody tracked anything that is scored here; an older time is a broken clock.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
#: A clock this far ahead of ours is merely imprecise; further ahead it is named as wrong.
TOLERANCE = timedelta(minutes=1)

TYPES = ("track", "identify", "page", "screen", "group", "alias")
_KIND_OF_TYPE = {
    "identify": EventKind.IDENTIFY,
    "page": EventKind.PAGE_VIEW,
    "screen": EventKind.PAGE_VIEW,
}
_NAMES: dict[EventKind, tuple[str, ...]] = {
    EventKind.PAGE_VIEW: ("page viewed", "viewed page"),
    EventKind.DOWNLOAD: (
        "asset downloaded", "file downloaded", "document downloaded", "ebook downloaded",
        "guide downloaded", "checklist downloaded", "downloaded",
    ),
    EventKind.FORM_SUBMIT: ("form submitted", "contact form submitted", "submitted form"),
    EventKind.NEWSLETTER_SIGNUP: (
        "newsletter signed up", "newsletter subscribed", "subscribed to newsletter", "subscribed",
    ),
    EventKind.WEBINAR_REGISTERED: ("webinar registered", "registered for webinar"),
    EventKind.WEBINAR_ATTENDED: ("webinar attended", "attended webinar"),
    EventKind.WEBINAR_NO_SHOW: ("webinar missed", "missed webinar"),
    EventKind.EMAIL_OPEN: ("email opened", "opened email"),
    EventKind.EMAIL_CLICK: ("email clicked", "email link clicked", "clicked email"),
    EventKind.UNSUBSCRIBE: ("unsubscribed", "email unsubscribed"),
    EventKind.DEMO_REQUEST: ("demo requested", "requested demo", "demo booked"),
    EventKind.TRIAL_START: ("trial started", "started trial"),
    EventKind.CONSULTATION_REQUEST: ("consultation requested", "requested consultation"),
    EventKind.PRICING_REQUEST: ("pricing requested", "price requested", "quote requested"),
    EventKind.PROMOTION_ACCEPTED: ("promotion accepted", "accepted promotion"),
    EventKind.PAGE_READ: ("page read", "page left"),
    EventKind.LINK_CLICK: ("link clicked", "outbound link clicked"),
}  # fmt: skip
#: Event names, and the codes themselves, in lower case with single spaces.
KIND_OF_NAME: Mapping[str, EventKind] = MappingProxyType(
    {name: kind for kind, names in _NAMES.items() for name in names}
    | {kind.value.replace("_", " ").lower(): kind for kind in _NAMES}
)


class Message(NamedTuple):
    """What a message says, checked and in our words.

    ``occurred_at`` is true time (UTC), never after the receipt. ``path`` is the URL's, without the
    slash at its end. ``user_agent`` is None when a server reported the event. ``token`` came with
    the link that led here, see ``engagement.tokens``. ``lead_id`` is in messages of our own.
    """

    kind: EventKind
    name: str
    occurred_at: datetime
    clock_fault: str
    anonymous_id: str
    user_id: str
    email: str
    properties: dict[str, Any]
    url: str
    path: str
    asset_slug: str
    user_agent: str | None
    purpose: str
    token: str
    lead_id: int | None
    traits: Mapping[str, Any]


def parse_message(
    body: Mapping[str, Any],
    *,
    received_at: datetime,
    sent_at: datetime | None,
    is_ours: bool = False,
) -> Message | Problem:
    """Return what ``body`` says, or why it is refused.

    Args:
        body: an object that ``json_reading.read_object`` let through.
        received_at: server time, aware.
        sent_at: what the client's clock showed when it sent the message, aware; None when nobody
            knows, and then the client's timestamp is taken as true time.
        is_ours: whether Baton wrote it itself, which names the lead by its id.
    """
    try:
        return _parse(body, received_at, sent_at, body.get("leadId") if is_ours else None)
    except Refused as refused:
        return refused.problem


def check_message(body: Mapping[str, Any]) -> datetime | None:
    """Return when ``body`` says it happened.

    Raises:
        Refused: why ``parse_message`` would refuse it.
    """
    return _read(body, is_known=False).told


def message_id(body: Mapping[str, Any]) -> str | Problem:
    """Return the id that the sender gave a message, empty when it gave none."""
    try:
        return read_id(body, "messageId")
    except Refused as refused:
        return refused.problem


def read_id(body: Mapping[str, Any], key: str) -> str:
    """Return an id as text; some clients send numbers, and null for the missing one.

    Raises:
        Refused: it is neither, or too long.
    """
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused("id_invalid", key, "is neither text nor a whole number")
        value = str(value)
    text = value.strip()
    if len(text) > LONGEST_ID:
        raise Refused("id_too_long", key, f"is longer than {LONGEST_ID} characters")
    return text


def parse_time(value: object, field_name: str) -> datetime | None:
    """Return an ISO 8601 instant with its zone, or None when there is none.

    Raises:
        Refused: when ``value`` is anything else.
    """
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise Refused("time_invalid", field_name, "is no time such as 2026-05-31T09:30:00Z")
    if moment.tzinfo is None:
        raise Refused("time_without_zone", field_name, "does not name its time zone")
    return moment


def true_time(
    told: datetime | None, *, received_at: datetime, sent_at: datetime | None
) -> tuple[datetime, str]:
    """Return when it happened by our clock, and what is wrong with the client's ("" for nothing).

    The client's clock may be off, but its differences hold: received - (sent - told).
    """
    if told is None:
        return received_at, ""
    try:
        moment = told.astimezone(UTC) if sent_at is None else received_at - (sent_at - told)
    except OverflowError:
        return received_at, ClockFault.ABSURD
    if moment < EARLIEST:
        return received_at, ClockFault.ABSURD
    if moment > received_at:
        return received_at, ClockFault.FUTURE if moment > received_at + TOLERANCE else ""
    return moment, ""


def _parse(
    body: Mapping[str, Any],
    received_at: datetime,
    sent_at: datetime | None,
    lead_id: int | None,
) -> Message:
    parts = _read(body, is_known=lead_id is not None)
    context, properties, page = parts.context, parts.properties, parts.page
    occurred_at, clock_fault = true_time(parts.told, received_at=received_at, sent_at=sent_at)
    url = _text(properties.get("url")) or _text(page.get("url"))
    return Message(
        kind=parts.kind,
        name=parts.name or _text(properties.get("title"))[:LONGEST_NAME],
        occurred_at=occurred_at,
        clock_fault=clock_fault,
        traits=parts.traits,
        properties=_kept(parts),
        url=url[:LONGEST_URL],
        path=_path(url, properties, page),
        asset_slug=_text(properties.get("asset")),
        user_agent=_agent(context),
        purpose=_text(context.get("purpose")),
        token=_token(context),
        lead_id=lead_id,
        anonymous_id=parts.anonymous_id,
        user_id=parts.user_id,
        email=parts.email,
    )


class _Parts(NamedTuple):
    """What can be wrong in a message, found right."""

    kind: EventKind
    name: str
    told: datetime | None
    context: dict[str, Any]
    properties: dict[str, Any]
    traits: dict[str, Any]
    page: dict[str, Any]
    campaign: dict[str, Any]
    anonymous_id: str
    user_id: str
    email: str


def _read(body: Mapping[str, Any], *, is_known: bool) -> _Parts:
    """Read all that a message can be refused for.

    Raises:
        Refused: naming the first fault.
    """
    kind, name = _kind_and_name(body)
    context, properties = _object(body, "context"), _object(body, "properties")
    traits = _object(body, "traits") or _object(context, "traits", "context.")
    told = parse_time(body.get("timestamp") or body.get("originalTimestamp"), "timestamp")
    page = _object(context, "page", "context.")
    campaign = _object(context, "campaign", "context.")
    who = _identity(body, traits, is_known=is_known)
    return _Parts(kind, name, told, context, properties, traits, page, campaign, *who)


def _kind_and_name(body: Mapping[str, Any]) -> tuple[EventKind, str]:
    type_ = body.get("type")
    if type_ not in TYPES:
        raise Refused("type_unknown", "type", f"is not one of {', '.join(TYPES)}")
    if type_ != "track":
        name = _name(body, "name", required=False)
        if kind := _KIND_OF_TYPE.get(type_):
            return kind, name
        return EventKind.CUSTOM, type_.capitalize()
    name = _name(body, "event", required=True)
    words = " ".join(re.findall(r"[^\W_]+", name.lower()))
    return KIND_OF_NAME.get(words, EventKind.CUSTOM), name


def _name(body: Mapping[str, Any], key: str, *, required: bool) -> str:
    value = body.get(key)
    name = _text(value).strip()
    if required and not name:
        raise Refused("event_missing", key, "names no event")
    if len(name) > LONGEST_NAME:
        raise Refused("name_too_long", key, f"is longer than {LONGEST_NAME} characters")
    return name


def _identity(
    body: Mapping[str, Any], traits: Mapping[str, Any], *, is_known: bool
) -> tuple[str, str, str]:
    anonymous_id, user_id = read_id(body, "anonymousId"), read_id(body, "userId")
    email = _email(traits)
    if not (anonymous_id or user_id or email or is_known):
        raise Refused("nobody", "userId", "and anonymousId are both missing: nobody did it")
    return anonymous_id, user_id, email or _address(user_id)


def _email(traits: Mapping[str, Any]) -> str:
    value = traits.get("email")
    if value is None:
        return ""
    try:
        return normalise_email(value if isinstance(value, str) else str(value)) or ""
    except NotAnEmail:
        raise Refused("email_invalid", "traits.email", "is not an e-mail address") from None


def _address(user_id: str) -> str:
    """Return a user id that is an e-mail address, as many sites use it; else nothing."""
    try:
        return normalise_email(user_id) or "" if "@" in user_id else ""
    except NotAnEmail:
        return ""


def _kept(parts: _Parts) -> dict[str, Any]:
    """Return what the log keeps: never the values of traits, which are personal and can change.

    Whether an act is a fast track is for the offer to say, not for whoever sends a message.
    """
    kept = {key: value for key, value in parts.properties.items() if key != FAST_TRACK}
    if parts.kind is EventKind.IDENTIFY:
        kept["traits"] = sorted(parts.traits)
    if parts.campaign:
        kept.setdefault("campaign", parts.campaign)
    if referrer := _text(parts.page.get("referrer")):
        kept.setdefault("referrer", referrer)
    return kept


def _path(url: str, properties: Mapping[str, Any], page: Mapping[str, Any]) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:  # such as an unclosed bracket in the host
        path = ""
    path = path or _text(properties.get("path")) or _text(page.get("path"))
    return path.rstrip("/") or path


def _token(context: Mapping[str, Any]) -> str:
    ours = context.get("baton")
    return _text(ours.get("token")) if isinstance(ours, dict) else ""


def _agent(context: Mapping[str, Any]) -> str | None:
    agent = context.get("userAgent")
    return None if agent is None else _text(agent)


def _object(holder: Mapping[str, Any], key: str, prefix: str = "") -> dict[str, Any]:
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused("not_an_object", f"{prefix}{key}", "is not a JSON object")
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
