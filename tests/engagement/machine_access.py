"""Who may open the addresses of links and machine events."""

from __future__ import annotations

from django.utils import timezone

from crm.accounts.models import User
from engagement.enums import EventKind
from engagement.services import link_url, make_tracked_link, pixel_url, record_event
from tests.access import ADMIN, MANAGER, MARKETER, Arguments, public, row
from tests.factories import make_lead

_TARGET = "https://halvorn.example/guide"


def link_of_a_mail(_viewer: User) -> Arguments:
    now = timezone.now()
    link = make_tracked_link(target=_TARGET, mailing="May", now=now)
    return {"token": link_url(link=link, lead_id=make_lead().pk, now=now).split("/")[-2]}


def pixel_of_a_mail(_viewer: User) -> Arguments:
    url = pixel_url(mailing="May", lead_id=make_lead().pk, now=timezone.now())
    return {"token": url.split("/")[-1].removesuffix(".gif")}


def event_of_a_lead(_viewer: User) -> Arguments:
    now = timezone.now()
    event = record_event(lead_id=make_lead().pk, kind=EventKind.PAGE_VIEW, occurred_at=now, now=now)
    return {"event_id": event.id}


MACHINE_ROWS = [
    row("engagement:tracking", MARKETER, MANAGER, ADMIN),
    row("engagement:machine_events", MARKETER, MANAGER, ADMIN),
    row(
        "engagement:event_actor",
        MARKETER,
        MANAGER,
        ADMIN,
        own=event_of_a_lead,
        method="post",
        data={"actor": "MACHINE"},
    ),
    public("engagement:follow", own=link_of_a_mail),
    public("engagement:pixel", own=pixel_of_a_mail),
]
