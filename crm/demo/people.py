"""Invented leads: who they are, where they came from and how much they want. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cache
from itertools import accumulate
from itertools import count as naturals
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from crm.demo.names import COUNTRIES, TONGUES, Country, Firm, make_firm, phone_number, spelt

#: A firm sends this many leads on average.
LEADS_PER_FIRM = 2.6
MONTHS = timedelta(days=182)


class Interest(Enum):
    """How far a lead goes on its own."""

    COLD = "cold"
    WARM = "warm"
    HOT = "hot"


@dataclass(frozen=True, slots=True)
class Source:
    """Where leads come from: how many, how many of them are hot or warm, how well they buy.

    ``share`` is out of 100, ``hot`` and ``warm`` are chances, ``buys`` multiplies that of an SQL.
    """

    source: str
    medium: str
    share: int
    hot: float
    warm: float
    buys: float
    campaigns: tuple[str, ...] = ("",)


SOURCES = (
    Source("organic_search", "organic", 27, 0.19, 0.30, 1.15),
    Source("google", "cpc", 19, 0.22, 0.28, 1.05, ("planned_downtime", "cmms_comparison")),
    Source("linkedin", "paid_social", 15, 0.09, 0.24, 0.60, ("plant_directors", "sensor_week")),
    Source("webinar", "partner", 12, 0.24, 0.42, 1.20, ("ninety_days", "sensors_live")),
    Source("trade_fair", "event", 9, 0.13, 0.30, 0.85, ("hannover", "stockholm")),
    Source("newsletter", "email", 8, 0.10, 0.32, 0.90, ("monthly",)),
    Source("referral", "referral", 6, 0.32, 0.34, 1.55),
    Source("direct", "none", 4, 0.24, 0.30, 1.25),
)

MAINTENANCE, PLANT, TECHNOLOGY, BESIDE, OUTSIDE, UNKNOWN = range(6)
TITLES: dict[int, tuple[int, tuple[str, ...]]] = {
    MAINTENANCE: (36, ("Head of maintenance", "Maintenance manager", "Maintenance planner",
                       "Reliability engineer", "Maintenance lead")),
    PLANT: (19, ("Plant director", "Plant manager", "Operations manager", "Works manager")),
    TECHNOLOGY: (15, ("OT architect", "Automation engineer", "Industrial IT manager")),
    BESIDE: (17, ("Quality manager", "Purchasing manager", "Process engineer", "Controller")),
    OUTSIDE: (6, ("Student", "Management consultant", "Trade journalist")),
    UNKNOWN: (7, ("",)),
}  # fmt: skip
_TITLE_WEIGHTS = [weight for weight, _ in TITLES.values()]
_TITLE_LISTS = [titles for _, titles in TITLES.values()]
INDUSTRIES = ("Metal", "Machinery", "Packaging", "Paper", "Food", "Chemicals", "Ceramics", "Energy")
SYSTEMS = ("None", "Spreadsheets", "Own development", "Other vendor")

#: People look things up at work: weight of each weekday, Monday first, and of each local hour.
_WEEKDAYS = (1.0, 1.12, 1.1, 1.05, 0.8, 0.13, 0.1)
_HOURS = (1, 0, 0, 0, 1, 2, 8, 24, 52, 74, 80, 66, 34, 48, 66, 60, 44, 26, 14, 10, 11, 9, 5, 2)
_CUMULATED_HOURS = list(accumulate(_HOURS))


@dataclass(frozen=True, slots=True)
class Employer:
    """A firm with what a lead's form says about it."""

    firm: Firm
    country: Country
    city: str
    industry: str
    employees: int
    system: str
    scans_mail: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A lead to be, in the words of Lead, and how it will behave."""

    first_name: str
    last_name: str
    email: str
    phone: str
    title: str
    employer: Employer
    source: Source
    campaign: str
    interest: Interest
    created_at: datetime
    attributes: dict[str, Any] = field(default_factory=dict)


@cache
def zone(name: str) -> ZoneInfo:
    """Return a time zone."""
    return ZoneInfo(name)


def moment_on(day: date, country: Country, rng: Random) -> datetime:
    """Return a believable instant (UTC) on a local day: people click while they are at work."""
    hour = rng.choices(range(24), cum_weights=_CUMULATED_HOURS)[0]
    local = datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)))
    return local.replace(tzinfo=zone(country.zone)).astimezone(UTC)


def working_day(day: date, rng: Random) -> date:
    """Return ``day``, or mostly the Monday after it when it falls on a weekend."""
    if day.weekday() < 5 or rng.random() < 0.15:
        return day
    return day + timedelta(days=7 - day.weekday())


def make_employers(rng: Random, *, first: int, count: int) -> list[Employer]:
    """Return ``count`` firms, numbered from ``first`` in each language."""
    weights = [country.share for country in COUNTRIES]
    numbers: dict[str, Iterator[int]] = defaultdict(lambda: naturals(first))
    return [
        _employer(rng, next(numbers[country.tongue]), country)
        for country in rng.choices(COUNTRIES, weights, k=count)
    ]


def make_people(
    rng: Random, employers: Sequence[Employer], *, count: int, now: datetime
) -> list[Person]:
    """Return ``count`` leads captured in the half year before ``now``, a little more each month."""
    days = _days_of_capture(rng, count, now)
    sources = rng.choices(SOURCES, [source.share for source in SOURCES], k=count)
    taken: set[str] = set()
    return [
        _person(rng, rng.choice(employers), source, day, now, taken)
        for source, day in zip(sources, days, strict=True)
    ]


def make_candidate(
    rng: Random, employer: Employer, *, is_best: bool, created_at: datetime, taken: set[str]
) -> Person:
    """Return a lead that fits: of grade A when ``is_best``, else of grade B."""
    tongue = TONGUES[employer.country.tongue]
    first, last = rng.choice(tongue.first), rng.choice(tongue.last)
    firm = {"employees": 420, "industry": "Metal"} if is_best else {"employees": 120}
    return Person(
        first_name=first,
        last_name=last,
        email=_address(first, last, employer.firm.domain, taken),
        phone=phone_number(employer.country, rng),
        title=rng.choice(TITLES[MAINTENANCE][1]),
        employer=employer,
        source=rng.choice(SOURCES),
        campaign="",
        interest=Interest.HOT,
        created_at=created_at,
        attributes={**firm, "maintenance_system": "Spreadsheets"},
    )


def _days_of_capture(rng: Random, count: int, now: datetime) -> list[date]:
    span = [now.date() - timedelta(days=ago) for ago in range(MONTHS.days, -1, -1)]
    weights = [
        _WEEKDAYS[day.weekday()] * (1 + 0.5 * place / len(span)) for place, day in enumerate(span)
    ]
    return rng.choices(span, weights, k=count)


def _employer(rng: Random, number: int, country: Country) -> Employer:
    return Employer(
        firm=make_firm(number, TONGUES[country.tongue]),
        country=country,
        city=rng.choice(country.cities),
        industry=rng.choice(INDUSTRIES),
        employees=round(min(20_000, 20 + rng.lognormvariate(5.4, 1.0))),
        system=rng.choices(SYSTEMS, (18, 40, 12, 30))[0],
        scans_mail=rng.random() < 0.15,
    )


def _person(
    rng: Random,
    employer: Employer,
    source: Source,
    day: date,
    now: datetime,
    taken: set[str],
) -> Person:
    tongue = TONGUES[employer.country.tongue]
    first, last = rng.choice(tongue.first), rng.choice(tongue.last)
    title = rng.choice(rng.choices(_TITLE_LISTS, _TITLE_WEIGHTS)[0])
    latest = now - timedelta(minutes=rng.randint(5, 400))
    captured_at = min(moment_on(day, employer.country, rng), latest)
    return Person(
        first_name=first,
        last_name=last,
        email=_address(first, last, employer.firm.domain, taken),
        phone=phone_number(employer.country, rng) if rng.random() < 0.88 else "",
        title=title,
        employer=employer,
        source=source,
        campaign=rng.choice(source.campaigns),
        interest=_interest(rng, source, employer),
        created_at=captured_at,
        attributes=_attributes(rng, employer, title),
    )


def _address(first: str, last: str, domain: str, taken: set[str]) -> str:
    name = f"{spelt(first)}.{spelt(last)}"
    address, twin = f"{name}@{domain}", 1
    while address in taken:
        twin += 1
        address = f"{name}{twin}@{domain}"
    taken.add(address)
    return address


def _interest(rng: Random, source: Source, employer: Employer) -> Interest:
    """Draw it from the source; small firms and firms that are not served want less."""
    served = 1.0 if employer.country.team else 0.4
    size = 1.15 if employer.employees >= 150 else 0.8
    chance = rng.random() / (served * size)
    if chance < source.hot:
        return Interest.HOT
    return Interest.WARM if chance < source.hot + source.warm else Interest.COLD


def _attributes(rng: Random, employer: Employer, title: str) -> dict[str, Any]:
    """Return what the form asked; not everybody answers everything."""
    asked = {
        "employees": employer.employees,
        "industry": employer.industry,
        "machines": max(3, round(employer.employees * rng.uniform(0.1, 0.5))),
        "maintenance_system": employer.system,
    }
    answers = 0.85 if title else 0.2
    return {name: value for name, value in asked.items() if rng.random() < answers}
