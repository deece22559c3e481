"""Who may open the pages of handoffs, and who may answer one."""

from __future__ import annotations

from crm.accounts.models import User
from handoff.services.holders import hand_to
from tests.access import ADMIN, MANAGER, MARKETER, PEOPLE, REP, Arguments, row
from tests.factories import NOW, make_team
from tests.handoff.factories import make_handoff, make_rep


def handoff_of(viewer: User) -> Arguments:
    """Make a handoff that is the viewer's if they are a rep, and somebody's if they are not."""
    holder = viewer if viewer.has_role(REP) else make_rep(make_team())
    handoff = make_handoff(rep=holder)
    hand_to(handoff, holder, now=NOW)
    handoff.save(update_fields=["holder", "team"])
    return {"handoff_id": handoff.pk}


def handoff_of_somebody_else(_viewer: User) -> Arguments:
    return {"handoff_id": make_handoff(rep=make_rep(make_team())).pk}


_SEEN = {"own": handoff_of, "foreign": handoff_of_somebody_else}
_WORKERS = (REP, MANAGER, ADMIN)
ROWS = [
    row("handoff:queue", REP),
    row("handoff:take", REP, method="post"),
    row("handoff:pool", REP),
    row("handoff:team", MANAGER, ADMIN),
    row("handoff:agreement", *PEOPLE),
    row("handoff:calendars", MANAGER, ADMIN),
    row("handoff:handoff", REP, MARKETER, MANAGER, ADMIN, **_SEEN),
    row("handoff:accept", *_WORKERS, **_SEEN, method="post"),
    row("handoff:reject", *_WORKERS, **_SEEN, method="post", data={"reason": "TOO_EARLY"}),
    row("handoff:log", *_WORKERS, **_SEEN, method="post", data={"act": "CALL.CONNECTED"}),
    row("handoff:snooze", *_WORKERS, **_SEEN),
    row("handoff:reassign", MANAGER, ADMIN, **_SEEN),
    row("handoff:bant", *_WORKERS, **_SEEN),
    row("handoff:bant_save", *_WORKERS, **_SEEN, method="post", data={"budget": "YES"}),
]
