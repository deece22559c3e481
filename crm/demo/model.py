"""The demo company's rules: its scoring model, agreement and routing, as documents. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crm.demo.names import COUNTRIES, DACH, NORDICS, WEST

SERVED = [country.code for country in COUNTRIES if country.team]
_MANUFACTURING = ["Metal", "Machinery", "Packaging", "Paper", "Food", "Ceramics"]


def _leaf(field: str, op: str, value: Any) -> dict[str, Any]:
    """Return one condition of the criteria language."""
    return {"field": field, "op": op, "value": value}


def _any_title(*words: str) -> dict[str, Any]:
    return {"any": [_leaf("title", "contains", word) for word in words]}


def _fit(label: str, points: float, criteria: dict[str, Any]) -> dict[str, Any]:
    return {"label": label, "points": points, "criteria": criteria}


def _act(label: str, points: float, *, half_life: int, **rest: Any) -> dict[str, Any]:
    """Return an engagement rule; what is no part of a rule is what it matches."""
    parts = ("cap", "once_per_asset", "first_only", "repeat")
    rule = {key: rest.pop(key) for key in parts if key in rest}
    return {"label": label, "points": points, "half_life_days": half_life, "match": rest, **rule}


def _firm_rules() -> list[dict[str, Any]]:
    """What makes a firm ours, whoever writes from it."""
    return [
        _fit("250 staff and more", 12, _leaf("attr_employees", "at_least", 250)),
        _fit("Fewer than 50 staff", -15, _leaf("attr_employees", "at_most", 49)),
        _fit("Makes things", 8, _leaf("attr_industry", "in", _MANUFACTURING)),
        _fit("Plans in spreadsheets", 6,
             _leaf("attr_maintenance_system", "in", ["Spreadsheets"])),
        _fit("Bought from somebody else", -8,
             _leaf("attr_maintenance_system", "in", ["Other vendor"])),
        _fit("Many machines", 4, _leaf("attr_machines", "at_least", 60)),
    ]  # fmt: skip


def _persona(name: str, rule: str, *words: str) -> dict[str, Any]:
    role = _fit(rule, 20, _any_title(*words))
    return {"name": name, "rules": [role, *_firm_rules()]}


SCORING_MODEL: dict[str, Any] = {
    "fit": {
        "base": 40,
        "grades": {"A": 75, "B": 60, "C": 42},
        "personas": [
            _persona("Maintenance lead", "Runs maintenance", "maintenance", "reliability"),
            _persona("Plant director", "Runs the plant", "plant", "operations", "works"),
            _persona("Technology", "Connects machines", "OT architect", "automation",
                     "industrial IT"),
        ],
    },
    "engagement": {
        "levels": {"1": 60, "2": 40, "3": 15},
        "groups": [
            {"name": "Buying interest", "cap": 60, "rules": [
                _act("Pricing page", 8, half_life=14, cap=20, asset="pricing", kind="PAGE_VIEW"),
                _act("Case study downloaded", 15, half_life=30, cap=25, once_per_asset=True,
                     funnel_stage="BOFU", kind="DOWNLOAD"),
                _act("Comparison read", 8, half_life=21, cap=8, kind="PAGE_VIEW",
                     asset="comparison-spreadsheets"),
                _act("Asked for a demo", 25, half_life=30, cap=25, kind="DEMO_REQUEST"),
                _act("Asked for a consultation", 25, half_life=30, cap=25,
                     kind="CONSULTATION_REQUEST"),
                _act("Asked for a price", 25, half_life=30, cap=25, kind="PRICING_REQUEST"),
                _act("Started a trial", 25, half_life=30, cap=25, kind="TRIAL_START"),
                _act("3 bottom-of-funnel pages in 7 days", 10, half_life=14, cap=10,
                     funnel_stage="BOFU", repeat={"times": 3, "days": 7, "different_assets": True}),
            ]},
            {"name": "Learning", "cap": 30, "rules": [
                _act("Webinar attended", 15, half_life=30, cap=20, kind="WEBINAR_ATTENDED"),
                _act("Webinar registered", 4, half_life=14, cap=8, kind="WEBINAR_REGISTERED"),
                _act("Middle-of-funnel download", 8, half_life=30, cap=16, once_per_asset=True,
                     funnel_stage="MOFU", kind="DOWNLOAD"),
                _act("Calculated the return", 8, half_life=21, cap=8, asset="roi-calculator",
                     kind="PAGE_VIEW"),
                _act("Guide downloaded", 3, half_life=21, cap=6, once_per_asset=True,
                     funnel_stage="TOFU", kind="DOWNLOAD"),
            ]},
            {"name": "Attention", "cap": 10, "floor": -20, "rules": [
                _act("E-mail clicked", 2, half_life=14, cap=6, kind="EMAIL_CLICK"),
                _act("E-mail opened", 1, half_life=7, cap=3, kind="EMAIL_OPEN"),
                _act("Newsletter", 2, half_life=60, first_only=True, kind="NEWSLETTER_SIGNUP"),
                _act("Blog read", 1, half_life=7, cap=3, funnel_stage="TOFU", kind="PAGE_VIEW"),
                _act("Unsubscribed", -20, half_life=180, cap=20, kind="UNSUBSCRIBE"),
            ]},
        ],
    },
    "mql": {
        "cells": ["A1", "A2", "B1", "B2", "C1"],
        "fast_track": [
            {"kind": "DEMO_REQUEST"},
            {"kind": "CONSULTATION_REQUEST"},
            {"kind": "PRICING_REQUEST"},
            {"kind": "TRIAL_START", "shortest_tier": False},
        ],
        "fast_track_days": 30,
        "blocking": [
            {"label": "No e-mail address", "criteria": _leaf("has_email", "is", False)},
        ],
    },
    "disqualifiers": [
        {"reason": "Outside the countries we serve",
         "criteria": _leaf("country", "not_in", SERVED)},
        {"reason": "Student or press", "criteria": _any_title("student", "journalist")},
    ],
}  # fmt: skip

#: Name, who is in it, then working minutes to accept, to touch first and to a verdict.
Tier = tuple[str, dict[str, Any], int, int, int]
_FAST: Tier = ("Asked for sales", {}, 15, 30, 16 * 60)
_HOT: Tier = ("Best cells", _leaf("cell", "in", ["A1", "A2", "B1"]), 60, 120, 24 * 60)
_REST: Tier = ("Everybody else", {}, 120, 240, 40 * 60)
#: The versions of the agreement: each promised a little more than the one before.
AGREEMENTS: Sequence[Sequence[Tier]] = (
    (("Asked for sales", {}, 60, 120, 24 * 60), ("Everybody else", {}, 240, 480, 48 * 60)),
    (("Asked for sales", {}, 30, 60, 16 * 60), ("Everybody else", {}, 120, 240, 40 * 60)),
    (_FAST, _HOT, _REST),
)

ROUTING = (
    ("Germany, Austria, Switzerland", DACH),
    ("The Nordics", NORDICS),
    ("France and the United Kingdom", WEST),
)


def countries_of(team: str) -> dict[str, Any]:
    """Return the criteria for leads of a team's countries."""
    return _leaf("country", "in", [each.code for each in COUNTRIES if each.team == team])


def minutes(count: int) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=count)
