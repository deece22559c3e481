"""What an invented lead does, from its first anonymous visit to the present. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from crm.demo.library import BLOGS, CASES, GUIDES, WEBINARS
from crm.demo.people import Interest, Person, moment_on, working_day
from engagement.enums import EventKind

K = EventKind
DAY = timedelta(days=1)
#: What opens links before people do.
SCANNER = "Known robot: barracuda"

_ASKS = (K.DEMO_REQUEST, K.CONSULTATION_REQUEST, K.PRICING_REQUEST, K.TRIAL_START)
_NEEDS = ("Unplanned stops at night", "Audit next year", "Two sites, one plan", "Knowledge leaves")
_BUDGETS = ("5-10k", "10-25k", "25-50k", "not sure")
_TIMES = ("This quarter", "Next quarter", "This year", "not sure")
#: Mails a week after capture, by interest; visits alike.
_MAILS = {Interest.COLD: 0.10, Interest.WARM: 0.2, Interest.HOT: 0.25}
_VISITS = {Interest.COLD: 0.09, Interest.WARM: 0.24, Interest.HOT: 0.3}
_OPENS = {Interest.COLD: 0.3, Interest.WARM: 0.55, Interest.HOT: 0.75}


@dataclass(frozen=True, slots=True)
class Act:
    """One event to be. ``asset`` is a slug of the library, ``machine`` names what did it."""

    at: datetime
    kind: EventKind
    asset: str = ""
    name: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    machine: str = ""


def journey(person: Person, rng: Random, *, now: datetime) -> list[Act]:
    """Return all that a lead did up to ``now``, in order of time; its capture is in it."""
    acts = [*_prelude(person, rng), *_capture(person, rng), *_aftermath(person, rng, now)]
    if person.interest is Interest.HOT:
        peak = _peak_of(person, rng)
        acts += [*_learning(person, rng, peak), *_decision(rng, peak, _ask(rng))]
        if rng.random() < 0.4:
            again = moment_on(
                working_day((peak + rng.uniform(35, 110) * DAY).date(), rng),
                person.employer.country, rng,
            )  # fmt: skip
            acts += _decision(rng, again, _ask(rng))
    elif person.interest is Interest.WARM and rng.random() < 0.6:
        acts += _learning(person, rng, _peak_of(person, rng))
        if rng.random() < 0.2:
            acts.append(Act(_peak_of(person, rng), K.PROMOTION_ACCEPTED, "checklist-shutdown"))
    return sorted((act for act in acts if act.at <= now), key=lambda act: act.at)


def live_journey(
    person: Person, rng: Random, *, peak: datetime, ask: EventKind | None
) -> list[Act]:
    """Return the acts of a lead that makes up its mind at ``peak``: by ``ask``, or by reading.

    Nothing before ``peak`` is enough by itself.
    """
    acts = [*_prelude(person, rng), *_capture(person, rng), *_decision(rng, peak, ask)]
    return sorted(acts, key=lambda act: act.at)


def _decision(rng: Random, end: datetime, ask: EventKind | None) -> Iterator[Act]:
    """What somebody does who makes up its mind: it asks, or reads until the last page is enough."""

    def before(days: float = 0, minutes: float = 0) -> datetime:
        span = timedelta(days=days, minutes=minutes)
        return end - span * rng.uniform(0.9, 1.1)

    case, other = rng.sample(CASES, 2)
    yield Act(before(minutes=14), K.PAGE_VIEW, "pricing")
    if ask:
        yield Act(before(minutes=2), K.PAGE_VIEW, "demo")
        yield Act(end, ask, "demo", "Request form", _answers(rng))
        return
    yield Act(before(minutes=11), K.PAGE_VIEW, case)
    yield Act(before(minutes=9), K.DOWNLOAD, case)
    recipe = rng.randrange(3)
    if recipe == 0:  # the page where the price is, again, then how others do without us
        yield Act(before(minutes=4), K.PAGE_VIEW, "pricing")
        yield Act(end, K.PAGE_VIEW, "comparison-spreadsheets")
    elif recipe == 1:  # somebody who attended a webinar
        yield Act(before(days=3), K.WEBINAR_ATTENDED, rng.choice(WEBINARS))
        yield Act(end, K.PAGE_VIEW, "comparison-spreadsheets")
    else:  # somebody who wants to see it done elsewhere
        yield Act(before(minutes=3), K.PAGE_VIEW, other)
        yield Act(end, K.DOWNLOAD, other)


def _prelude(person: Person, rng: Random) -> Iterator[Act]:
    """Anonymous visits in the weeks before the capture."""
    for _ in range(rng.choices((0, 1, 2, 3), (38, 34, 18, 10))[0]):
        day = (person.created_at - rng.uniform(1, 21) * DAY).date()
        at = min(
            moment_on(working_day(day, rng), person.employer.country, rng),
            person.created_at - timedelta(minutes=30),
        )
        yield Act(at, K.PAGE_VIEW, rng.choice(BLOGS))


def _capture(person: Person, rng: Random) -> Iterator[Act]:
    """How the lead became known: a page, then a form."""
    at = person.created_at
    kind, asset = _capture_act(person, rng)
    seen = at - timedelta(seconds=rng.randint(40, 400))
    yield Act(seen, K.PAGE_VIEW, asset, properties=_campaign(person))
    yield Act(at, K.IDENTIFY, name=f"Form on {asset}", properties={"traits": ["email"]})
    yield Act(at + timedelta(seconds=1), kind, asset, properties=_campaign(person))


def _capture_act(person: Person, rng: Random) -> tuple[EventKind, str]:
    if person.source.source == "webinar":
        return K.WEBINAR_REGISTERED, rng.choice(WEBINARS)
    if person.source.source == "trade_fair":
        return K.FORM_SUBMIT, "product-tour"
    if rng.random() < 0.25:
        return K.NEWSLETTER_SIGNUP, "newsletter"
    return K.DOWNLOAD, rng.choice((*GUIDES, "ebook-maintenance-plan"))


def _campaign(person: Person) -> dict[str, Any]:
    campaign = {"source": person.source.source, "medium": person.source.medium}
    if person.campaign:
        campaign["name"] = person.campaign
    return {"campaign": campaign}


def _aftermath(person: Person, rng: Random, now: datetime) -> Iterator[Act]:
    """Mails that are opened, visits now and then; interest cools over the months."""
    weeks = (now - person.created_at).days / 7
    for place in _random_weeks(rng, weeks, _MAILS[person.interest]):
        sent = moment_on(
            working_day((person.created_at + place * 7 * DAY).date(), rng),
            person.employer.country, rng,
        )  # fmt: skip
        if sent > person.created_at:
            yield from _mail(person, rng, sent)
    for place in _random_weeks(rng, weeks, _VISITS[person.interest]):
        day = working_day((person.created_at + place * 7 * DAY).date(), rng)
        at = moment_on(day, person.employer.country, rng)
        if at > person.created_at:
            yield from _visit(person, rng, at)


def _random_weeks(rng: Random, weeks: float, rate: float) -> Iterator[float]:
    """Instants in weeks after capture, ``rate`` a week at first and fewer later."""
    place = rng.expovariate(rate) if rate else weeks
    while place < weeks:
        yield place
        place += rng.expovariate(rate / (1 + place / 10))


def _mail(person: Person, rng: Random, sent: datetime) -> Iterator[Act]:
    if person.employer.scans_mail:
        opened = sent + timedelta(seconds=rng.randint(2, 20))
        yield Act(opened, K.EMAIL_CLICK, "newsletter", machine=SCANNER)
    if rng.random() > _OPENS[person.interest]:
        return
    at = sent + timedelta(minutes=rng.uniform(3, 600))
    yield Act(at, K.EMAIL_OPEN, "newsletter")
    if rng.random() < 0.3:
        read = at + timedelta(seconds=rng.randint(5, 60))
        yield Act(read, K.EMAIL_CLICK, "newsletter")
        yield Act(read + timedelta(seconds=2), K.PAGE_VIEW, rng.choice(BLOGS))
    elif rng.random() < 0.012:
        yield Act(at + timedelta(seconds=30), K.UNSUBSCRIBE, "newsletter")


def _visit(person: Person, rng: Random, at: datetime) -> Iterator[Act]:
    shelf = (*BLOGS, *GUIDES) if person.interest is Interest.COLD else (*BLOGS, "product-tour")
    for _ in range(rng.choices((1, 2, 3), (55, 30, 15))[0]):
        yield Act(at, K.PAGE_VIEW, rng.choice(shelf))
        at += timedelta(seconds=rng.randint(30, 240))
    if person.interest is not Interest.COLD and rng.random() < 0.12:
        yield Act(at, K.PAGE_VIEW, "pricing")


def _peak_of(person: Person, rng: Random) -> datetime:
    """When a lead makes up its mind: some weeks after capture, at work."""
    day = (person.created_at + (0.2 + rng.gammavariate(1.6, 11)) * DAY).date()
    at = moment_on(working_day(day, rng), person.employer.country, rng)
    return max(at, person.created_at + timedelta(minutes=45))


def _learning(person: Person, rng: Random, peak: datetime) -> Iterator[Act]:
    """Webinars, e-books and tools in the days before the mind is made up."""
    start = max(person.created_at, peak - 12 * DAY)

    def some_time() -> datetime:
        return start + (peak - start) * rng.uniform(0.02, 0.9)

    if rng.random() < 0.55:
        webinar, registered = rng.choice(WEBINARS), some_time()
        yield Act(registered, K.WEBINAR_REGISTERED, webinar)
        attended = registered + (peak - registered) * rng.uniform(0.2, 0.8)
        came = rng.random() < 0.68
        yield Act(attended, K.WEBINAR_ATTENDED if came else K.WEBINAR_NO_SHOW, webinar)
    if rng.random() < 0.5:
        yield Act(some_time(), K.DOWNLOAD, "ebook-maintenance-plan")
    if rng.random() < 0.4:
        yield Act(some_time(), K.PAGE_VIEW, "roi-calculator")
    if rng.random() < 0.5:
        yield Act(some_time(), K.PAGE_VIEW, "product-tour")


def _ask(rng: Random) -> EventKind | None:
    """Return what the lead asks for in the end, if it asks."""
    return rng.choices(_ASKS, (52, 18, 16, 14))[0] if rng.random() < 0.42 else None


def _answers(rng: Random) -> dict[str, str]:
    """Return what a request form was told; some boxes stay empty."""
    told = {"need": _NEEDS, "budget": _BUDGETS, "timeline": _TIMES}
    return {key: rng.choice(words) for key, words in told.items() if rng.random() < 0.5}
