"""The criteria that decide about new handoffs: tiers of the agreement in force, routing rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handoff.enums import AgreementState
from handoff.models import RoutingRule, SlaTier


def criteria_in_force() -> Iterator[tuple[str, Any]]:
    """Go through the stored trees: ``Agreement v2, tier Key accounts``, ``Rule 1, DACH``."""
    tiers = SlaTier.objects.filter(agreement__state=AgreementState.IN_FORCE)
    for tier in tiers.select_related("agreement").order_by("position"):
        yield f"{tier.agreement}, tier {tier}", tier.criteria
    for rule in RoutingRule.objects.order_by("position"):
        yield str(rule), rule.criteria
