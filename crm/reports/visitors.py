"""Who was seen before anybody knew who it was, and the leads that came of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from crm.common.period import Period
from engagement.models import Visitor
from leads.models import Lead


@dataclass(frozen=True)
class Seen:
    """How many visitors were first seen in a period, and how many leads they turned out to be."""

    visitors: int
    leads: int


def first_seen(period: Period) -> Seen:
    """Count the visitors of a period, browsers and devices, and the leads that came of them.

    Leads are fewer than visitors that said who they are: one person may use several browsers.
    """
    found = _visitors(period)
    leads = Lead.objects.standing().filter(pk__in=found.filter(lead__isnull=False).values("lead"))
    return Seen(found.count(), leads.count())


def came_of_visitor_q(period: Period) -> Q:
    """Return the filter over Lead for those who came of a visitor first seen in ``period``."""
    return Q(Exists(_visitors(period).filter(lead=OuterRef("pk"))))


def _visitors(period: Period) -> QuerySet[Visitor]:
    # With a source the name is that of a user there, who is known from the start.
    return Visitor.objects.filter(
        source="", first_seen_at__gte=period.start, first_seen_at__lt=period.end
    )
