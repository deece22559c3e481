"""What the collector refused lately, by source and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, Q, Sum

from engagement.models import RefusalCount, Source

#: Days that the pages look back.
DAYS = 7
#: In place of the name of a source: no key said whose the messages were.
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """How often one reason was given today and in the last ``DAYS`` days, and when last."""

    code: str
    today: int
    lately: int
    last_at: datetime

    @property
    def reason(self) -> str:
        """Return the code that senders are told, as words."""
        return self.code.replace("_", " ").capitalize()


def refused_lately(source: str, *, today: date) -> list[Refused]:
    """Return what was refused of a source, by its name or ``NOBODY``, the most frequent first."""
    lines = (
        RefusalCount.objects.filter(source=source, day__gt=today - timedelta(days=DAYS))
        .values_list("code")
        .annotate(
            today=Sum("count", filter=Q(day=today), default=0),
            lately=Sum("count"),
            last=Max("last_at"),
        )
        .order_by("-lately", "code")
    )
    return [Refused(*line) for line in lines]


def refused_today(sources: Sequence[Source], *, today: date) -> dict[str, int]:
    """Return how many requests and messages of each source were refused, by its name."""
    names = [source.name for source in sources]
    known = RefusalCount.objects.filter(source__in=names, day=today).values_list("source")
    return dict.fromkeys(names, 0) | dict(known.annotate(Sum("count")))
