"""Where a draft stands on its way into force, in words and as what may be done next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from crm.accounts.models import User
from scoring.access import EDITOR_ROLES
from scoring.diff import Difference
from scoring.models import ScoringModel
from scoring.services import gates_of, is_approved, is_asked, may_approve
from scoring.slots import Gate

_RULES = (".rules[", "disqualifiers[", "mql.blocking[", "mql.fast_track[")


@dataclass(frozen=True)
class Standing:
    """One draft: what it changes, its gates, the next act of the person who looks at it."""

    model: ScoringModel
    in_force: ScoringModel | None
    changes: Sequence[Difference]
    viewer: User
    now: datetime
    leads: int

    @cached_property
    def gates(self) -> Sequence[Gate]:
        """Return what must be done before the draft comes into force."""
        return gates_of(self.model, now=self.now)

    @property
    def next_gate(self) -> Gate | None:
        """Return the first gate that is not done and says where it is done."""
        return next((gate for gate in self.gates if gate.url and not gate.is_done), None)

    @property
    def differs(self) -> str:
        """Return how much differs: ``3 rules and 1 cell differ from v14``."""
        if self.in_force is None:
            return "There is no model in force yet."
        kinds = [_kind_of(each.path) for each in self.changes]
        counts = [(kinds.count(kind), kind) for kind in ("rule", "cell", "setting")]
        told = [f"{count} {kind}{'' if count == 1 else 's'}" for count, kind in counts if count]
        if not told:
            return f"Nothing differs from v{self.in_force.version}."
        verb = "differs" if sum(count for count, _ in counts) == 1 else "differ"
        listed = ", ".join(told[:-1]) + " and " + told[-1] if len(told) > 1 else told[0]
        return f"{listed} {verb} from v{self.in_force.version}."

    @property
    def is_signed_by_both(self) -> bool:
        """Return whether the MQL definition changes, which both teams sign."""
        return any(each.touches_mql for each in self.changes)

    @property
    def is_editor(self) -> bool:
        """Return whether this person may change, publish or discard drafts."""
        return self.viewer.has_role(*EDITOR_ROLES)

    @property
    def may_approve(self) -> bool:
        """Return whether this person may be the second one now."""
        is_asked = bool(self.model.approval_requested_by_id)
        return is_asked and not self._is_approved and may_approve(self.model, self.viewer)

    @property
    def may_request(self) -> bool:
        """Return whether the approval is to be asked for, or asked for again."""
        was_approver = self.viewer.pk == self.model.approved_by_id
        return self.is_editor and not was_approver and not is_asked(self.model, self.in_force)

    @property
    def may_publish(self) -> bool:
        """Return whether the draft is approved; what else is missing the refusal says."""
        return self.is_editor and self._is_approved

    @property
    def _is_approved(self) -> bool:
        return is_approved(self.model, self.in_force)


def _kind_of(path: str) -> str:
    if path == "mql.cells":
        return "cell"
    return "rule" if any(part in path for part in _RULES) else "setting"
