"""What the traits of an identify call say about a person, as columns of a lead. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEYS: dict[str, tuple[str, ...]] = {
    "first_name": ("firstName", "first_name", "firstname"),
    "last_name": ("lastName", "last_name", "lastname"),
    "phone": ("phone",),
    "title": ("title", "jobTitle", "job_title"),
    "company_name": ("company", "companyName", "company_name"),
    "country": ("country",),
    "city": ("city",),
    "website": ("website",),
}
_CAMPAIGN = {"source": "source", "medium": "medium", "campaign": "name"}


def lead_values(
    *, email: str, traits: Mapping[str, Any], properties: Mapping[str, Any]
) -> dict[str, str]:
    """Return columns for ``leads.services.create_lead``; what is not said is missing.

    ``properties`` may hold the campaign that brought the person.
    """
    flat = {**_mapping(traits.get("address")), **traits}
    values = {column: _first(flat, keys) for column, keys in _KEYS.items()}
    if not values["first_name"] and not values["last_name"]:
        first, _, last = _text(traits.get("name")).partition(" ")
        values["first_name"], values["last_name"] = first, last.strip()
    campaign = _mapping(properties.get("campaign"))
    values |= {column: _text(campaign.get(key)) for column, key in _CAMPAIGN.items()}
    return {"email": email} | {column: value for column, value in values.items() if value}


def _first(traits: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((text for key in keys if (text := _text(traits.get(key)))), "")


def _text(value: object) -> str:
    """Return a text; an object, such as a company, stands for its name."""
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
