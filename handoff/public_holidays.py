"""Public holidays by country and subdivision, as the ``holidays`` library knows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import holidays

from handoff.business_hours import CalendarInvalid
from leads.countries import country_name

#: Years before and after the one in which a calendar is written, so that neither imported history
#: nor a long promise leaves them. Our choice.
YEARS_BEFORE, YEARS_AFTER = 10, 10
#: A calendar whose holidays end sooner is written anew.
YEARS_LEFT = 5
_NAMES_IN = "en_US"


@lru_cache(maxsize=1)
def subdivisions_by_country() -> Mapping[str, tuple[str, ...]]:
    """Return the known countries by code, each with the codes of its subdivisions."""
    known = holidays.list_supported_countries(include_aliases=False)
    return {code: tuple(parts) for code, parts in sorted(known.items())}


def country_choices() -> list[tuple[str, str]]:
    """Return the known countries with their names, by name."""
    named = [(code, country_name(code)) for code in subdivisions_by_country()]
    return sorted(named, key=lambda each: each[1])


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str, year: int) -> Mapping[str, str]:
    """Return the holidays around ``year``, by ISO date; empty without a country.

    Raises:
        CalendarInvalid: a country or subdivision that is not known; the message says which are.
    """
    if not country:
        if subdivision:
            raise CalendarInvalid("subdivision", "choose its country too")
        return {}
    check_place(country, subdivision)
    years = range(year - YEARS_BEFORE, year + YEARS_AFTER + 1)
    found = holidays.country_holidays(country, subdiv=subdivision or None, years=years)
    if _NAMES_IN in found.supported_languages:
        found = holidays.country_holidays(
            country, subdiv=subdivision or None, years=years, language=_NAMES_IN
        )
    return {day.isoformat(): name for day, name in sorted(found.items())}


def check_place(country: str, subdivision: str) -> None:
    """See that the library knows the place.

    Raises:
        CalendarInvalid: it does not; the message says what it knows.
    """
    known = subdivisions_by_country()
    if country not in known:
        raise CalendarInvalid("country", f"{country!r} is not known: use a code such as DE or FR")
    if subdivision and subdivision not in known[country]:
        offered = ", ".join(known[country]) or "none, leave it empty"
        raise CalendarInvalid("subdivision", f"{country} has {offered}")
