"""Making the demo company: everything from its founding to this minute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction

from crm.demo.behaviour import Act, journey
from crm.demo.capture import LAG, Chronicle, capture, log_acts, log_strangers
from crm.demo.company import DemoCompany, found_company
from crm.demo.edge import Stage, live_cast
from crm.demo.forms import CAPTURED, found_forms, send_forms
from crm.demo.history import Historian
from crm.demo.library import BY_SLUG, SITE
from crm.demo.model import SERVED
from crm.demo.people import LEADS_PER_FIRM, MONTHS, Person, make_employers, make_people
from crm.demo.qualifying import Qualified
from crm.demo.scripts import Script
from engagement.enums import EventKind
from engagement.models import Event
from engagement.services import absorb_events, keep_partitions, receive, withdraw_consents
from handoff.models import Handoff, RepProfile
from handoff.services import BATCH, enforce_deadlines
from leads.enums import LifecycleStage
from leads.models import Lead, StageInterval
from leads.services import mark_duplicates
from scoring.services import BATCH as SCORES
from scoring.services import renew_scores, score_due_leads
from scoring.services.training import can_train, start_training

#: Leads written in one transaction.
CHUNK = 4_000
#: Firms made for the live edge; they take less than ``_FIRST_FIRM`` numbers of any language.
_LIVE_FIRMS = 150
_FIRST_FIRM = 90
#: How many ask for a demo while the company is made.
_JUST_NOW = 2
_BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"


class DatabaseInUse(Exception):
    """The demo company needs a database without leads."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What was made."""

    leads: int
    became_mql: int
    open_handoffs: int
    won: int


def seed_demo(*, leads: int, seed: int, now: datetime) -> Summary:
    """Make the demo company with about ``leads`` leads, their last half year ending at ``now``.

    Equal arguments make equal companies. Memory does not grow with ``leads``.

    Raises:
        DatabaseInUse: there are leads already.
    """
    if Lead.objects.exists():
        raise DatabaseInUse("There are leads already: the demo company needs an empty database.")
    start = now - MONTHS - timedelta(days=1)
    with _bulk():
        demo = found_company(now=now, start=start, leads=leads)
        found_forms(now=start)
    historian = Historian(demo, Random(f"{seed}:sales"), now)
    rng = Random(f"{seed}:live")
    live = list(live_cast(demo, rng, make_employers(rng, first=0, count=_LIVE_FIRMS), now=now))
    for number, size in enumerate(_sizes(leads - len(live) - CAPTURED)):
        with _bulk():
            _write_chunk(demo, historian, number, size, seed=seed, now=now)
    with _bulk():
        scripted = _write(demo, historian, live, run=f"{seed}-live", analyze=False)
        _take_turns(historian)
        left = Event.objects.filter(kind=EventKind.UNSUBSCRIBE).values_list("lead_id", flat=True)
        withdraw_consents(lead_ids=filter(None, left), now=now)
        while renew_scores(now=now):
            pass
        Stage(Random(f"{seed}:stage"), now).play(scripted)
        send_forms(now=now)
        _ask_just_now(now)
        while score_due_leads(now=now) >= SCORES:
            pass
        while enforce_deadlines(now=now) == BATCH:
            pass
        while mark_duplicates():
            pass
    keep_partitions(now=now)
    if can_train():  # the worker does it
        start_training(target=LifecycleStage.SQL.lower(), now=now)
    return _summary()


@contextmanager
def _bulk() -> Iterator[None]:
    """Write in one transaction that may take its time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield


def _sizes(leads: int) -> Iterator[int]:
    """Return how many leads each chunk has."""
    while leads > 0:
        yield min(leads, CHUNK)
        leads -= CHUNK


def _write_chunk(
    demo: DemoCompany, historian: Historian, number: int, size: int, *, seed: int, now: datetime
) -> None:
    rng = Random(f"{seed}:{number}")
    firms = max(1, round(size / LEADS_PER_FIRM))
    employers = make_employers(rng, first=_FIRST_FIRM + number * CHUNK, count=firms)
    people = make_people(rng, employers, count=size, now=now)
    cast = ((person, journey(person, rng, now=now - LAG), None) for person in people)
    run = f"{seed}-{number}"
    # statistics go stale with growth: they are taken anew whenever the tables have doubled
    has_doubled = number & (number - 1) == 0
    _write(demo, historian, cast, run=run, analyze=has_doubled)
    log_strangers(demo, rng, people[: size // 2], now=now, run=run)


def _write(
    demo: DemoCompany,
    historian: Historian,
    cast: Iterable[tuple[Person, Sequence[Act], Script | None]],
    *,
    run: str,
    analyze: bool,
) -> list[tuple[Chronicle, Qualified]]:
    """Write leads with their acts and what became of them; return those that have a script."""
    chronicles = capture(cast)
    log_acts(demo, chronicles, run=run)
    if analyze:
        _analyze("leads_lead", "engagement_event", "leads_leadfact")
    scripted = historian.tell(chronicles)
    if analyze:
        _analyze("leads_lead", "leads_stageinterval", "handoff_handoff", "handoff_clock")
    return scripted


def _analyze(*tables: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


def _take_turns(historian: Historian) -> None:
    """Let the rotation go on from where the past left it."""
    for rep, turns in historian.turns().items():
        RepProfile.objects.filter(pk=rep).update(turn=turns)


def _ask_just_now(now: datetime) -> None:
    """Have some leads ask for a demo while one looks: the whole way from the inbox to the queue."""
    asking = Lead.objects.filter(stage=LifecycleStage.LEAD, country__in=SERVED).exclude(phone="")
    messages = [
        {
            "type": "track",
            "event": "Demo Requested",
            "messageId": f"just-now-{place}",
            "anonymousId": f"just-now-{place}",
            "timestamp": (now - timedelta(seconds=40 + 70 * place)).isoformat(),
            "properties": {"asset": "demo", "offer": "request-demo", "timeline": "This quarter"},
            "context": {
                "traits": {"email": lead.email},
                "userAgent": _BROWSER,
                "page": {"url": f"{SITE}{BY_SLUG['demo'].path}"},
            },
        }
        for place, lead in enumerate(asking.order_by("-last_activity_at", "-id")[:_JUST_NOW])
    ]
    receive(source="website", messages=messages, received_at=now)
    absorb_events(now=now)


def _summary() -> Summary:
    entered = StageInterval.objects.filter(stage=LifecycleStage.MQL)
    return Summary(
        leads=Lead.objects.count(),
        became_mql=entered.values("lead").distinct().count(),
        open_handoffs=Handoff.objects.open().count(),
        won=Lead.objects.filter(stage=LifecycleStage.WON).count(),
    )
