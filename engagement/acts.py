"""What people read of an event: its title and its icon. Pure."""

from __future__ import annotations

from engagement.enums import EventKind

ICONS: dict[EventKind, str] = {
    EventKind.PAGE_VIEW: "eye",
    EventKind.DOWNLOAD: "download",
    EventKind.FORM_SUBMIT: "clipboard-check",
    EventKind.NEWSLETTER_SIGNUP: "newspaper",
    EventKind.WEBINAR_REGISTERED: "calendar-check",
    EventKind.WEBINAR_ATTENDED: "presentation",
    EventKind.WEBINAR_NO_SHOW: "calendar-x",
    EventKind.EMAIL_OPEN: "mail-open",
    EventKind.EMAIL_CLICK: "mouse-pointer-click",
    EventKind.UNSUBSCRIBE: "mail-x",
    EventKind.DEMO_REQUEST: "monitor-play",
    EventKind.TRIAL_START: "rocket",
    EventKind.CONSULTATION_REQUEST: "messages-square",
    EventKind.PRICING_REQUEST: "receipt",
    EventKind.PROMOTION_ACCEPTED: "tag",
    EventKind.PAGE_READ: "clock",
    EventKind.LINK_CLICK: "external-link",
    EventKind.IDENTIFY: "user-check",
    EventKind.CUSTOM: "activity",
}
MACHINE_ICON = "bot"

#: Sentences for events whose object is known; the others are told by the label of their kind.
_TITLES: dict[EventKind, str] = {
    EventKind.PAGE_VIEW: "Viewed {}",
    EventKind.DOWNLOAD: "Downloaded {}",
    EventKind.FORM_SUBMIT: "Submitted the form on {}",
    EventKind.NEWSLETTER_SIGNUP: "Signed up for {}",
    EventKind.WEBINAR_REGISTERED: "Registered for {}",
    EventKind.WEBINAR_ATTENDED: "Attended {}",
    EventKind.WEBINAR_NO_SHOW: "Missed {}",
    EventKind.EMAIL_OPEN: "Opened {}",
    EventKind.EMAIL_CLICK: "Clicked in {}",
    EventKind.PROMOTION_ACCEPTED: "Accepted {}",
    EventKind.PAGE_READ: "Read {}",
}


def act_title(*, kind: EventKind, name: str = "", asset: str = "", path: str = "") -> str:
    """Return an event as a short sentence without its subject: ``Downloaded OEE guide``.

    ``asset`` is the name of the asset it was about; a page without one is told by its ``name`` or
    its ``path``, a custom event by its ``name``.
    """
    if kind is EventKind.CUSTOM:
        return name or kind.label
    about = asset or (name or path if kind is EventKind.PAGE_VIEW else "")
    return _TITLES[kind].format(about) if about and kind in _TITLES else kind.label
