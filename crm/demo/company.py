"""The demo company itself: people, teams, hours, content, rules; made through the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from django.contrib.auth.hashers import make_password

from crm.accounts.enums import Role
from crm.accounts.models import SalesTeam, User
from crm.demo.model import AGREEMENTS, ROUTING, SCORING_MODEL, Tier, countries_of, minutes
from crm.demo.names import DACH, NORDICS, WEST
from crm.demo.people import INDUSTRIES, SYSTEMS
from crm.demo.sales import Rep
from crm.demo.site.source import open_site
from crm.demo.stock import stock_library
from engagement.models import Asset
from handoff.business_hours import is_open, parse_calendar, working_time_between
from handoff.business_hours.calendars import WEEKDAYS
from handoff.enums import Side
from handoff.models import Agreement, RepProfile, SlaTier, WorkCalendar
from handoff.services import (
    TierTerms,
    add_routing_rule,
    define_calendar,
    draft_agreement,
    sign_agreement,
)
from leads.enums import AttributeType
from leads.models import LeadAttribute
from scoring.models import ScoringModel
from scoring.services import install_model

DOMAIN = "halvorn.example"
PASSWORD = "try-baton-today"  # noqa: S105 -- told to everybody, opens invented data only
#: Address, name, role, team, zone.
_STAFF = (
    ("mira", "Mira Feldkamp", Role.MARKETER, "", "Europe/Berlin"),
    ("hanna", "Hanna Korvik", Role.MANAGER, "", "Europe/Berlin"),
    ("gareth", "Gareth Lyndon", Role.MANAGER, WEST, "Europe/London"),
    ("noor", "Noor Haddad", Role.ADMIN, "", "Europe/Berlin"),
)
#: Address, name, team, zone, pace (below 1 is quicker), how well they close.
_REPS = (
    ("jonas", "Jonas Wieland", DACH, "Europe/Berlin", 0.95, 1.05),
    ("katja", "Katja Brandis", DACH, "Europe/Berlin", 0.80, 1.15),
    ("maja", "Maja Sundell", NORDICS, "Europe/Stockholm", 0.85, 1.10),
    ("erik", "Erik Hovland", NORDICS, "Europe/Oslo", 1.05, 0.90),
    ("camille", "Camille Renaudot", WEST, "Europe/Paris", 0.90, 1.0),
    ("owen", "Owen Tregarth", WEST, "Europe/London", 1.30, 0.80),
)
#: Who to log in as first, by role.
LOGINS = (("marketer", "mira"), ("sales rep", "jonas"), ("manager", "hanna"), ("admin", "noor"))

#: Team, zone, country of its holidays, windows of Monday to Thursday, of Friday.
DESKS = (
    (DACH, "Europe/Berlin", "DE", [["08:00", "12:30"], ["13:00", "18:00"]],
     [["08:00", "12:30"], ["13:00", "17:00"]]),
    (NORDICS, "Europe/Stockholm", "SE", [["08:00", "17:00"]], [["08:00", "16:00"]]),
    (WEST, "Europe/Paris", "FR", [["09:00", "12:30"], ["13:30", "18:30"]],
     [["09:00", "12:30"], ["13:30", "17:30"]]),
)  # fmt: skip
_ATTRIBUTES = (
    ("employees", "Staff", AttributeType.NUMBER, ()),
    ("machines", "Machines", AttributeType.NUMBER, ()),
    ("industry", "Industry", AttributeType.CHOICE, INDUSTRIES),
    ("maintenance_system", "Plans maintenance in", AttributeType.CHOICE, SYSTEMS),
)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class DemoCompany:
    """The demo company, as far as its history needs it."""

    teams: Mapping[str, SalesTeam]
    calendars: Mapping[str, WorkCalendar]
    reps: Mapping[str, Sequence[User]]
    manners: Mapping[int, Rep]
    agreements: Sequence[Agreement]
    tiers: Mapping[int, Sequence[SlaTier]]
    model: ScoringModel
    assets: Mapping[str, Asset]

    def agreement_at(self, moment: datetime) -> Agreement:
        """Return the version in force at ``moment``."""
        return next(
            each
            for each in reversed(self.agreements)
            if each.in_force_from and each.in_force_from <= moment
        )


def found_company(*, now: datetime, start: datetime, leads: int) -> DemoCompany:
    """Set up everything that stood before the first lead came at ``start``.

    ``leads`` sizes the promises and, beyond a few thousand, the sales teams.
    """
    teams = {each[0]: SalesTeam.objects.create(name=each[0], time_zone=each[1]) for each in DESKS}
    calendars = {name: _calendar(teams[name], hours, now) for name, *hours in DESKS}
    users, manners = _hire(teams, start, leads)
    reps = {
        name: [
            each for each in users.values() if each.sales_team == team and Role.REP in each.roles
        ]
        for name, team in teams.items()
    }
    LeadAttribute.objects.bulk_create(
        LeadAttribute(name=name, label=label, type=kind, choices=list(choices))
        for name, label, kind, choices in _ATTRIBUTES
    )
    assets = stock_library(start=start, now=now, by=users["mira"])
    open_site(now=now)
    model = install_model(
        definition=SCORING_MODEL, now=start, note="First model", actor=users["mira"]
    )
    agreements = _agree(model, users, start=start, now=now, leads=leads)
    for position, (name, team) in enumerate(ROUTING, start=1):
        add_routing_rule(
            position=position, name=name, criteria=countries_of(team), team=teams[team]
        )
    tiers = {each.pk: list(each.tiers.order_by("position")) for each in agreements}
    return DemoCompany(teams, calendars, reps, manners, agreements, tiers, model, assets)


def _hire(
    teams: Mapping[str, SalesTeam], start: datetime, leads: int
) -> tuple[dict[str, User], dict[int, Rep]]:
    """Make the accounts, by the name before the @; all share one password, hashed once."""
    password = make_password(PASSWORD)
    staff = [(*person, 1.0, 1.0) for person in _STAFF]
    reps = [(name, full_name, Role.REP, *rest) for name, full_name, *rest in _rep_list(leads)]
    users, manners = {}, {}
    for name, full_name, role, team, time_zone, pace, closes in (*staff, *reps):
        user = User.objects.create(
            email=f"{name}@{DOMAIN}",
            full_name=full_name,
            roles=[role],
            sales_team=teams.get(team),
            time_zone=time_zone,
            password=password,
            wants_mail=False,
        )
        users[name], manners[user.pk] = user, Rep(pace, closes)
    User.objects.filter(pk__in=manners).update(created_at=start)
    sellers = [user for user in users.values() if user.has_role(Role.REP)]
    RepProfile.objects.bulk_create(RepProfile(user=user) for user in sellers)
    return users, manners


def _rep_list(leads: int) -> list[tuple[Any, ...]]:
    """Return the six, and more of them for benchmarks: one for each ten thousand leads."""
    further = leads // 10_000
    return [
        *_REPS,
        *(
            (f"{name}{copy}", f"{full_name} {copy}", *rest)
            for number in range(further)
            for copy, (name, full_name, *rest) in [(2 + number // len(_REPS), _REPS[number % 6])]
        ),
    ]


def _calendar(team: SalesTeam, hours: Sequence[Any], now: datetime) -> WorkCalendar:
    return define_calendar(
        name=f"{team.name} desk",
        definition=desk_hours(*hours, now=now),
        now=now,
        team=team,
        is_default=team.name == DACH,
    )


def desk_hours(
    time_zone: str,
    country: str,
    week: Sequence[Sequence[str]],
    friday: Sequence[Sequence[str]],
    *,
    now: datetime,
) -> dict[str, Any]:
    """Return the calendar, as people write it, of one of ``DESKS``; it is open at ``now``."""
    years = (now.year - 1, now.year, now.year + 1)
    definition = {
        "timezone": time_zone,
        "weekly": {**dict.fromkeys(WEEKDAYS[:4], week), "fri": friday},
        "holidays": sorted(str(day) for day in holidays.country_holidays(country, years=years)),
    }
    return {**definition, "exceptions": _late_shift(definition, now)}


def _late_shift(definition: Mapping[str, Any], now: datetime) -> dict[str, list[list[str]]]:
    """Open the desk around ``now`` when it is closed or about to close.

    Whoever tries Baton on a Sunday evening sees deadlines that run: a special shift, as firms have
    them before a trade fair.
    """
    calendar = parse_calendar(definition)
    if is_open(now, calendar) and working_time_between(now, now + 2 * _HOUR, calendar) >= _HOUR:
        return {}
    local = now.astimezone(ZoneInfo(definition["timezone"])).replace(minute=0, second=0)
    hours: dict[date, list[int]] = {}
    for moment in (local + _HOUR * ahead for ahead in range(-2, 5)):
        hours.setdefault(moment.date(), []).append(moment.hour)
    return {
        str(day): _joined(
            *definition["weekly"].get(WEEKDAYS[day.weekday()], []),
            [f"{min(worked):02d}:00", f"{max(worked) + 1:02d}:00"],
        )
        for day, worked in hours.items()
    }


def _joined(*windows: list[str]) -> list[list[str]]:
    """Make one of windows of a day that touch or overlap; a calendar with both is refused."""
    joined: list[list[str]] = []
    for opens, closes in sorted(windows):
        if joined and opens <= joined[-1][1]:
            joined[-1][1] = max(closes, joined[-1][1])
        else:
            joined.append([opens, closes])
    return joined


def _agree(
    model: ScoringModel,
    users: Mapping[str, User],
    *,
    start: datetime,
    now: datetime,
    leads: int,
) -> list[Agreement]:
    """Sign the versions one after the other, at equal distances from ``start`` to ``now``."""
    agreements = []
    for number, tiers in enumerate(AGREEMENTS):
        at = start + (now - start) * number / len(AGREEMENTS)
        draft = draft_agreement(
            scoring_model=model,
            tiers=[_terms(tier, is_fast_track=place == 0) for place, tier in enumerate(tiers)],
            now=at,
            mqls_per_month=max(5, round(leads * 0.023 / 5) * 5),
        )
        sign_agreement(agreement_id=draft.pk, signer=users["mira"], side=Side.MARKETING, now=at)
        agreements.append(
            sign_agreement(agreement_id=draft.pk, signer=users["hanna"], side=Side.SALES, now=at)
        )
    return agreements


def _terms(tier: Tier, *, is_fast_track: bool) -> TierTerms:
    name, criteria, accept, touch, verdict = tier
    return TierTerms(
        name=name,
        criteria=criteria,
        accept_within=minutes(accept),
        first_touch_within=minutes(touch),
        verdict_within=minutes(verdict),
        is_fast_track=is_fast_track,
    )
