"""What a column of an unknown file probably holds, by its name and its first values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

#: How files write time, with the last day of May 2026 as example; the first that fits is offered.
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "%Y-%m-%d": "2026-05-31",
        "%Y-%m-%d %H:%M:%S": "2026-05-31 14:30:00",
        "%Y-%m-%d %H:%M": "2026-05-31 14:30",
        "%Y-%m-%dT%H:%M:%S": "2026-05-31T14:30:00",
        "%Y-%m-%dT%H:%M:%S%z": "2026-05-31T14:30:00+02:00",
        "%Y-%m-%dT%H:%M:%S.%f%z": "2026-05-31T14:30:00.000+02:00",
        "%d.%m.%Y": "31.05.2026",
        "%d.%m.%Y %H:%M": "31.05.2026 14:30",
        "%d.%m.%Y %H:%M:%S": "31.05.2026 14:30:00",
        "%d/%m/%Y": "31/05/2026",
        "%d/%m/%Y %H:%M": "31/05/2026 14:30",
        "%m/%d/%Y": "05/31/2026",
        "%m/%d/%Y %H:%M": "05/31/2026 14:30",
        "%m/%d/%Y %I:%M %p": "05/31/2026 02:30 PM",
        "%d %b %Y": "31 May 2026",
        "%Y%m%d": "20260531",
    }
)

#: Field -> how its column is called, in words in lower case.
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "email": "email, e mail, mail, email address, e mail address, mail address, work email",
        "first_name": "first name, firstname, given name, vorname, forename",
        "last_name": "last name, lastname, surname, family name, name, full name, nachname",
        "phone": "phone, phone number, telephone, tel, mobile, mobile phone, telefon",
        "title": "title, job title, position, job, function",
        "company_name": "company, company name, account, account name, organisation, organization,"
        " firm, employer, firma",
        "country": "country, country code, land",
        "region": "region, state, province, county, state region",
        "city": "city, town, ort, stadt",
        "website": "website, web site, url, homepage, web",
        "source": "source, lead source, origin, utm source, original source, channel",
        "medium": "medium, utm medium, lead origin",
        "campaign": "campaign, utm campaign, campaign name",
    }
)
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names.split(", ")}
_CREATED = (
    "created",
    "captured",
    "first contact",
    "signup",
    "sign up",
    "registered",
    "date",
    "seen",
)
_CLOSED = ("closed", "close", "won date", "lost date", "date")


def lead_field(column: str) -> str:
    """Return the lead field that ``column`` is called after, or an empty text."""
    return _FIELD_OF.get(_words(column), "")


def number_column(columns: Iterable[str], *words: str) -> str:
    """Return the first column whose name holds all of ``words`` and calls itself a number."""
    for column in columns:
        said = set(_words(column).split())
        if said & {"id", "number", "nr", "no", "key"} and said.issuperset(words):
            return column
    return ""


def created_column(columns: Iterable[str]) -> str:
    """Return the column that seems to say when the lead was captured."""
    return _first_called(columns, _CREATED)


def closed_column(columns: Iterable[str]) -> str:
    """Return the column that seems to say when the deal ended."""
    return _first_called(columns, _CLOSED)


def called(columns: Iterable[str], *names: str) -> str:
    """Return the first column with one of ``names`` in its own."""
    return _first_called(columns, names)


def time_format(values: Sequence[str]) -> str:
    """Return the first format that reads all of ``values``, else an empty text."""
    if not values:
        return ""
    return next((form for form in FORMATS if all(_fits(value, form) for value in values)), "")


def attribute_name(column: str) -> str:
    """Return the name of a new attribute for ``column``: lower case, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")[:60] or "column"


def _words(column: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", column.lower()))


def _first_called(columns: Iterable[str], names: Iterable[str]) -> str:
    named = [(column, f" {_words(column)} ") for column in columns]
    return next((col for name in names for col, words in named if f" {name} " in words), "")


def _fits(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007 -- only asked whether it fits
    except ValueError:
        return False
    return True
