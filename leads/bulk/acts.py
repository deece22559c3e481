"""The registry of what can be done to many leads: upper floors register theirs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.db import OperationalError, transaction

from crm.accounts.enums import Role
from crm.accounts.forms import PlainForm
from crm.accounts.models import User
from crm.common.registry import Registry
from leads.enums import BulkResult
from leads.models import Lead

logger = logging.getLogger(__name__)

#: Who may do what to many leads; reps answer for theirs one by one.
BULK_ROLES = (Role.MARKETER, Role.MANAGER, Role.ADMIN)
Said = Mapping[str, Any]


class Outcome(NamedTuple):
    """What became of one lead."""

    result: BulkResult
    problem: str = ""


DONE, UNCHANGED = Outcome(BulkResult.DONE), Outcome(BulkResult.UNCHANGED)


def refused(why: object) -> Outcome:
    """Return that the act was refused, with the reason."""
    return Outcome(BulkResult.REFUSED, str(why)[:300])


class BulkForm(PlainForm):
    """What an act has to be told."""

    def said(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return dict(self.cleaned_data)


class DoAct(Protocol):
    """Does an act to locked leads in the caller's transaction."""

    def __call__(
        self, leads: Sequence[Lead], said: Said, *, actor: User, now: datetime
    ) -> Mapping[int, Outcome]:
        """Return what became of each lead."""


class UndoAct(Protocol):
    """Takes an act back from locked leads, which are as the act left them."""

    def __call__(
        self, leads: Sequence[tuple[Lead, Said]], said: Said, *, actor: User, now: datetime
    ) -> Mapping[int, Outcome]:
        """Return what became of each lead; beside each stands how it was before."""


def _nothing_since(lead_ids: Collection[int], seen_at: datetime) -> Collection[int]:
    """Return no lead: of such changes nothing is written down, or they do not matter."""
    del lead_ids, seen_at
    return ()


@dataclass(frozen=True)
class BulkAct:
    """One thing that can be done to many leads.

    ``words`` makes of what its form holds what people read: ``Add the tag “Fair”``.
    A lead that changed meanwhile is named, never forced. ``guards`` are columns of Lead, as JSON
    can hold them, that must still be as they were when the job took the lead in;
    ``changed_since`` tells which leads had changed between then and when the person saw the list.
    ``key`` presses its button. ``at_once`` is how many leads one transaction may hold at most.
    """

    name: str
    label: str
    order: int
    icon: str
    form: type[BulkForm]
    words: Callable[[Said], str]
    do: DoAct
    undo: UndoAct
    guards: tuple[str, ...]
    key: str = ""
    changed_since: Callable[[Collection[int], datetime], Collection[int]] = _nothing_since
    at_once: int = 100


bulk_acts: Registry[BulkAct] = Registry("bulk act")


def one_by_one(
    leads: Sequence[Lead], do: Callable[[Lead], Outcome], *, refusals: tuple[type[Exception], ...]
) -> dict[int, Outcome]:
    """Do an act to each lead for itself; one that fails takes nothing else along."""
    return {lead.pk: _do_one(lead, do, refusals) for lead in leads}


def _do_one(
    lead: Lead, do: Callable[[Lead], Outcome], refusals: tuple[type[Exception], ...]
) -> Outcome:
    try:
        with transaction.atomic():
            return do(lead)
    except refusals as refusal:
        return refused(refusal)
    except OperationalError:  # the database's fault, not the lead's
        raise
    except Exception:
        logger.exception("Could not act on lead %s", lead.pk)
        return refused("An unforeseen error; the log of the worker has it.")
