"""Where upper floors add to the pages of handoffs; each registers in its ``furniture.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.accounts.models import User
from crm.common.registry import Registry
from handoff.models import Agreement


@dataclass(frozen=True)
class AgreementNote:
    """A section beside the text of the agreement.

    ``load(agreement, viewer, now)`` returns what ``template`` shows, None to stay away.
    """

    name: str
    order: int
    template: str
    load: Callable[[Agreement, User, datetime], Mapping[str, Any] | None]


agreement_notes: Registry[AgreementNote] = Registry("agreement note")
