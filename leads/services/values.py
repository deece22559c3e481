"""What may be written into a lead: every value is cleaned here, whoever sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from leads.attributes import AttributeInvalid, parse_attribute
from leads.countries import country_code
from leads.enums import AttributeType
from leads.models import Lead, LeadAttribute
from leads.normalise import (
    NotAnEmail,
    NotAWebsite,
    NotText,
    clean_text,
    normalise_email,
    normalise_phone,
    normalise_source,
    normalise_website,
)

#: The columns of Lead that people and forms fill in.
TEXT_FIELDS = (
    "first_name", "last_name", "phone", "title", "company_name", "country", "region", "city",
    "website", "source", "medium", "campaign",
)  # fmt: skip
WRITABLE_FIELDS = frozenset({*TEXT_FIELDS, "email", "attributes"})
#: Characters that each column holds.
LIMITS = {each.name: each.max_length or 0 for each in Lead._meta.fields}


class LeadInvalid(ValueError):
    """Values that a lead cannot take; ``problems`` holds a sentence per field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Compose one message from all problems."""
        super().__init__("; ".join(f"{field} {sentence}" for field, sentence in problems.items()))
        self.problems = dict(problems)


def clean_values(
    values: Mapping[str, Any],
    *,
    declared: Mapping[str, LeadAttribute] | None = None,
    country: str = "",
) -> dict[str, Any]:
    """Return ``values`` as they are stored, in one spelling.

    ``declared`` are the attributes by name, for callers that clean many leads; else they are read.
    ``country`` is where the lead is when ``values`` do not say so; it reads national phone numbers.

    Raises:
        LeadInvalid: naming every field that is unknown or does not fit.
    """
    problems: dict[str, str] = {}
    cleaned: dict[str, Any] = {}
    for field, value in values.items():
        try:
            cleaned[field] = _clean(field, value, values.get("country", country) or "", declared)
        except (NotAnEmail, NotAWebsite, NotText, _Refused) as problem:
            problems[field] = str(problem)
        except LeadInvalid as nested:
            problems.update(nested.problems)
    if problems:
        raise LeadInvalid(problems)
    return cleaned


def fitting_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of ``values`` that fit, as they are stored."""
    while True:
        try:
            return clean_values(values)
        except LeadInvalid as invalid:
            values = {name: each for name, each in values.items() if name not in invalid.problems}


def respelled(values: Mapping[str, Any], *, country: str = "") -> dict[str, Any]:
    """Return ``values`` in the spelling of ``clean_values``; what does not fit stays as it is."""
    spelt = {**values}
    for field, value in values.items():
        if field == "attributes":
            spelt[field] = {name: _respelled_attribute(name, each) for name, each in value.items()}
            continue
        with suppress(LeadInvalid):
            spelt |= clean_values({field: value}, country=country)
    return spelt


def _respelled_attribute(name: str, value: Any) -> Any:
    with suppress(LeadInvalid):
        return clean_values({"attributes": {name: value}})["attributes"][name]
    return value


class _Refused(ValueError):
    """One value does not fit its field."""


def _clean(
    field: str,
    value: Any,
    country: str,
    declared: Mapping[str, LeadAttribute] | None,
) -> Any:
    if field == "attributes":
        return _clean_attributes(value or {}, declared)
    if field not in WRITABLE_FIELDS:
        raise _Refused("is not a field of a lead")
    text = clean_text(value or "")
    if field == "email":
        return normalise_email(text)
    if field == "phone":
        text = normalise_phone(text, country_code(country))
    text = _SPELLINGS.get(field, str)(text)
    if len(text) > LIMITS[field]:
        raise _Refused(f"is longer than {LIMITS[field]} characters")
    return text


def _country(text: str) -> str:
    if text and not country_code(text):
        raise _Refused(f"{text[:40]!r} is not a country")
    return country_code(text)


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "country": _country,
    "website": normalise_website,
    "source": normalise_source,
    "medium": normalise_source,
}


#: Texts that are stored as they come, without surrounding space.
PLAIN_FIELDS = frozenset(TEXT_FIELDS) - {"phone"} - _SPELLINGS.keys()


def _clean_attributes(
    values: Mapping[str, Any], declared: Mapping[str, LeadAttribute] | None
) -> dict[str, Any]:
    """Return typed attributes; None stands for "no answer"."""
    if declared is None:
        declared = LeadAttribute.objects.in_bulk(list(values), field_name="name")
    problems: dict[str, str] = {}
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        attribute = declared.get(name)
        if attribute is None:
            problems[name] = "is not a declared attribute"
            continue
        try:
            cleaned[name] = parse_attribute(AttributeType(attribute.type), value, attribute.choices)
        except AttributeInvalid as problem:
            problems[name] = str(problem)
    if problems:
        raise LeadInvalid(problems)
    return cleaned
