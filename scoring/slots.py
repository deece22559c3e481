"""What floors above tell scoring: of publishing, of releasing, of the load of sales.

They register in ``furniture``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crm.accounts.models import User
from crm.common.registry import Registry
from scoring.models import ScoringModel


@dataclass(frozen=True)
class Gate:
    """One thing that must be done before a draft comes into force, as its banner shows it.

    Attributes:
        name: Code of the gate, such as ``approval``.
        label: What it is in few words: "Second person approves".
        is_done: Whether it is done for the revision as it stands.
        todo: What to do while it is not, as one sentence.
        done_at: When it was done, if it has a time.
        done_by: Who did it, if it was one person.
        url: Where it is done, or where to read of it.
        act: Label of the button that posts to ``url``; empty where ``url`` is a page.
    """

    name: str
    label: str
    is_done: bool
    todo: str = ""
    done_at: datetime | None = None
    done_by: User | None = None
    url: str = ""
    act: str = ""


@dataclass(frozen=True)
class PublishingGate:
    """A gate of an upper floor: ``ask(draft, now)`` returns it, None where it does not apply.

    It is asked while nobody else can write models, and of faulty documents too.
    """

    name: str
    order: int
    ask: Callable[[ScoringModel, datetime], Gate | None]


@dataclass(frozen=True)
class DeskDays:
    """When sales works: ``day(now)`` is the local day while it is at work, else None.

    ``is_known()`` says whether anybody has told: without hours there is no day.
    """

    name: str
    order: int
    is_known: Callable[[], bool]
    day: Callable[[datetime], date | None]


desk_days: Registry[DeskDays] = Registry("desk days")
publishing_gates: Registry[PublishingGate] = Registry("publishing gate")


@dataclass(frozen=True)
class SalesLoad:
    """What sales had to take on in a period, and with whom.

    ``ask(starts_at, ends_at, now)`` returns it as JSON: ``reps`` who are given leads now,
    ``minutes`` to the first touch as agreed for each tier, ``goal`` percent on time, and for each
    week ``week`` (its Monday), ``working_days``, the first touches that fell ``due`` and those that
    were ``on_time``. Days and weeks are those of the active time zone.
    """

    name: str
    order: int
    ask: Callable[[datetime, datetime, datetime], dict[str, Any]]


sales_loads: Registry[SalesLoad] = Registry("sales load")
