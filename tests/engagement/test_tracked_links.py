"""Links and pixels of mails, from the address in the mail to the event of a lead."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.conf import settings as site
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from django.utils.encoding import iri_to_uri

from engagement.collector.rows import COPY
from engagement.collector.spool import Spool, held, read_records
from engagement.enums import Actor, EventKind, LinkReason, SourceKind
from engagement.models import Event, InboxMessage, TrackedLink
from engagement.services import (
    TargetInvalid,
    absorb_events,
    create_source,
    link_url,
    make_tracked_link,
    pixel_url,
)
from engagement.services.tracked_links import LONGEST_MAILING, LONGEST_TARGET, Visit, follow_link
from engagement.tokens import proof_of
from engagement.views.links import RATE, limits
from leads.models import Lead
from tests.engagement.inbox import CHROME
from tests.engagement.locked import locked
from tests.factories import make_lead

TARGET = "https://halvorn.example/guide?utm_source=newsletter#chapter-2"


@pytest.fixture
def lead(db: None) -> Lead:
    make_site()
    return make_lead()


def make_site() -> None:
    """Make the site that most links of these tests lead to one of ours."""
    create_source(
        name="site", label="Site", kind=SourceKind.WEBSITE, now=timezone.now(),
        allowed_origins=["https://halvorn.example"],
    )  # fmt: skip


def make_link(
    target: str = TARGET, mailing: str = "May", *, is_hidden: bool = False
) -> TrackedLink:
    return make_tracked_link(
        target=target, mailing=mailing, is_hidden=is_hidden, now=timezone.now()
    )


def path_of(link: TrackedLink, lead: Lead) -> str:
    return urlsplit(link_url(link=link, lead_id=lead.pk, now=timezone.now())).path


def visit(path: str, *, agent: str = CHROME, method: str = "get", **headers: str) -> HttpResponse:
    ask = getattr(Client(), method)
    response: HttpResponse = ask(path, headers={"User-Agent": agent, **headers})
    return response


def absorbed() -> list[Event]:
    absorb_events(now=timezone.now())
    return list(Event.objects.order_by("occurred_at", "id"))


def test_who_follows_a_link_is_led_on_and_recorded(lead: Lead) -> None:
    response = visit(path_of(make_link(), lead))

    (event,) = absorbed()
    assert response.status_code == 302
    assert (event.kind, event.lead_id, event.actor) == (EventKind.EMAIL_CLICK, lead.pk, Actor.HUMAN)
    assert (event.url, event.properties["mailing"]) == (TARGET, "May")
    assert event.touch == {"source": "email", "medium": "email", "campaign": "May"}


def test_the_landing_page_gets_a_proof_and_its_address_is_otherwise_as_it_was(lead: Lead) -> None:
    url = urlsplit(visit(path_of(make_link(), lead))["Location"])

    query = parse_qs(url.query)
    proof = proof_of(query.pop("baton_t")[0], now=timezone.now())
    assert proof is not None
    assert (proof.lead_id, proof.reason) == (lead.pk, LinkReason.EMAIL_CLICK)
    assert (url.path, query, url.fragment) == (
        "/guide", {"utm_source": ["newsletter"]}, "chapter-2"
    )  # fmt: skip


def test_no_id_stands_in_the_address_of_a_link(lead: Lead) -> None:
    other = make_lead()
    link = make_link()

    first, second = path_of(link, lead), path_of(link, other)

    assert re.fullmatch(r"/l/[\w-]{100,400}/", first)
    assert not any(first[at : at + 20] == second[at : at + 20] for at in range(20, len(first) - 40))


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("token", ["x", "gAAAAAB" + "x" * 120, "-", "0" * 2000])
@pytest.mark.django_db
def test_an_unknown_link_leads_nowhere(method: str, token: str) -> None:
    response = visit(
        f"/l/{token}/?next=https://evil.example/&url=https://evil.example/", method=method
    )

    assert response.status_code == 404
    assert "Location" not in response
    assert not InboxMessage.objects.exists()


def test_the_token_of_a_pixel_is_none_of_a_link(lead: Lead) -> None:
    url = pixel_url(mailing="May", lead_id=lead.pk, now=timezone.now())

    assert visit(urlsplit(url).path.replace(".gif", "/")).status_code == 404


def test_asking_only_where_a_link_leads_is_answered_and_is_a_machine(lead: Lead) -> None:
    response = visit(path_of(make_link(), lead), method="head")

    (event,) = absorbed()
    assert (response.status_code, response["Location"]) == (302, TARGET)
    assert (event.actor, event.actor_reason) == (Actor.MACHINE, "Only asked where a link leads")


@pytest.mark.parametrize("agent", ["Mozilla/5.0 (compatible; Googlebot/2.1)", "Barracuda Sentinel"])
def test_a_robot_is_led_on_without_a_proof(lead: Lead, agent: str) -> None:
    response = visit(path_of(make_link(), lead), agent=agent)

    assert response["Location"] == TARGET
    assert [event.actor for event in absorbed()] == [Actor.MACHINE]


def test_who_follows_a_hidden_link_is_a_machine_and_gets_no_proof(lead: Lead) -> None:
    response = visit(path_of(make_link(is_hidden=True), lead))

    (event,) = absorbed()
    assert response["Location"] == TARGET
    assert event.actor_reason == "Followed a link that people cannot see"


def test_a_pixel_records_that_a_mail_was_opened(lead: Lead) -> None:
    path = urlsplit(pixel_url(mailing="May", lead_id=lead.pk, now=timezone.now())).path

    response = visit(path)

    (event,) = absorbed()
    assert (response.status_code, response["Content-Type"]) == (200, "image/gif")
    assert response.content.startswith(b"GIF89a")
    assert "no-store" in response["Cache-Control"]
    assert (event.kind, event.lead_id, event.actor) == (EventKind.EMAIL_OPEN, lead.pk, Actor.HUMAN)


@pytest.mark.django_db
def test_a_forged_pixel_is_a_picture_and_nothing_else() -> None:
    response = visit("/l/forged.gif")

    assert (response.status_code, response["Content-Type"]) == (200, "image/gif")
    assert not InboxMessage.objects.exists()


def test_a_double_click_is_one_act(lead: Lead) -> None:
    token = path_of(make_link(), lead).split("/")[-2]
    now = timezone.now()

    for seconds in (0, 0, 1):
        at = now.replace(microsecond=0) - timedelta(seconds=seconds)
        follow_link(token=token, visit=Visit(at, "GET", "192.0.2.1", CHROME, ""))

    assert len(absorbed()) == 2


def test_a_link_is_made_once_in_a_mailing(lead: Lead) -> None:
    first = make_link()

    assert make_link() == first
    assert make_link(mailing="June") != first
    assert make_link(is_hidden=True) != first


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "ftp://halvorn.example/", "//evil.example", "/guide", "", "https://",
     "https://halvorn.example/" + "x" * 1000, "data:text/html,x"],
)  # fmt: skip
@pytest.mark.django_db
def test_a_link_leads_to_the_web_only(target: str) -> None:
    with pytest.raises(TargetInvalid):
        make_link(target)


@pytest.mark.parametrize("letter", ["x", "ü", "世", '"', "\x01"])
def test_the_longest_link_leads_where_it_should(lead: Lead, letter: str) -> None:
    """Red when a token may be no longer than that of a short link."""
    target = "https://halvorn.example/".ljust(LONGEST_TARGET, letter)
    link = make_link(target, mailing="世" * LONGEST_MAILING)

    response = visit(path_of(link, lead))

    assert response["Location"].startswith(iri_to_uri(target))


@pytest.mark.parametrize(
    ("target", "is_told"),
    [
        ("https://halvorn.example/guide", True),
        ("https://www.halvorn.example/guide", True),
        (f"{site.PUBLIC_URL}/f/contact/", True),
        ("https://elsewhere.example/guide", False),
        ("https://shop.halvorn.example/", False),
        ("https://halvorn.example@elsewhere.example/", False),
    ],
)
def test_only_sites_of_ours_are_told_who_follows_a_link(
    lead: Lead, target: str, is_told: bool
) -> None:
    """Red when any address gets a proof."""
    response = visit(path_of(make_link(target), lead))

    assert ("baton_t=" in response["Location"]) == is_told


def test_whoever_follows_a_link_from_a_hosting_network_gets_no_proof(
    lead: Lead, settings: LazySettings
) -> None:
    """Red when the networks are not asked."""
    settings.HOSTING_NETWORKS = ["127.0.0.0/8"]

    response = visit(path_of(make_link(), lead))

    assert response["Location"] == TARGET
    assert [event.actor for event in absorbed()] == [Actor.MACHINE]


def test_nothing_of_a_request_stays_but_the_name_of_its_program(lead: Lead) -> None:
    visit(path_of(make_link(), lead))

    (event,) = absorbed()
    assert "127.0.0.1" not in str(event.__dict__)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tables", ["engagement_inbox", "engagement_inbox, engagement_source"])
def test_a_redirect_serves_while_the_database_does_not_answer(
    tables: str, tmp_path: Path, settings: LazySettings
) -> None:
    """Red without the guards: 500. Nothing is lost either."""
    settings.COLLECTOR_SPOOL = tmp_path
    make_site()
    lead = make_lead()
    path = path_of(make_link(), lead)
    pixel = urlsplit(pixel_url(mailing="May", lead_id=lead.pk, now=timezone.now())).path

    with locked(tables):
        response, picture = visit(path), visit(pixel)

    assert ("baton_t=" in response["Location"]) == ("source" not in tables)
    assert response["Location"].startswith("https://halvorn.example/guide?utm_source=newsletter")
    assert picture.content.startswith(b"GIF89a")
    assert not InboxMessage.objects.exists()
    replay(tmp_path)
    assert {(event.kind, event.lead_id) for event in absorbed()} == {
        (EventKind.EMAIL_CLICK, lead.pk),
        (EventKind.EMAIL_OPEN, lead.pk),
    }


@pytest.mark.django_db(transaction=True)
def test_a_trap_is_one_while_the_database_does_not_answer(
    tmp_path: Path, settings: LazySettings
) -> None:
    """Red when the database has to say what a link is: a person seems to follow both."""
    settings.COLLECTOR_SPOOL = tmp_path
    lead = make_lead()
    paths = [path_of(make_link(is_hidden=is_hidden), lead) for is_hidden in (True, False)]

    with locked("engagement_inbox, engagement_trackedlink"):
        for path in paths:
            visit(path)
    replay(tmp_path)

    assert {event.actor_reason for event in absorbed()} == {
        "Followed a link that people cannot see"
    }


def replay(folder: Path) -> None:
    """Bring what the spool holds into the inbox, as the collector does."""
    for path in Spool(folder, limit=1024**2).segments():
        with held(path) as is_free, connection.cursor() as cursor, cursor.copy(COPY) as copy:
            assert is_free
            for rows in read_records(path):
                copy.write(b"".join(rows))


def test_who_asks_too_often_is_served_and_no_longer_recorded(lead: Lead) -> None:
    """Red without the limit."""
    path = path_of(make_link(), lead)
    limits.bucket("203.0.113.5", rate=RATE, now=time.monotonic()).level = -1000

    flood = Client().get(path, REMOTE_ADDR="203.0.113.5")
    assert not InboxMessage.objects.exists()
    other = Client().get(path, REMOTE_ADDR="203.0.113.6")

    assert (flood.status_code, other.status_code) == (302, 302)
    assert InboxMessage.objects.count() == 1


def test_an_address_in_a_mail_is_whole(lead: Lead) -> None:
    url = link_url(link=make_link(), lead_id=lead.pk, now=timezone.now())

    assert url.startswith(f"{site.PUBLIC_URL}/l/")
    assert len(url) < 400
