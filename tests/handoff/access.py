"""Who may open the pages of handoffs, and who may answer one."""

from __future__ import annotations

from datetime import timedelta

from crm.accounts.models import User
from handoff.enums import ClockKind, ExcuseReason, TouchChannel, TouchOutcome
from handoff.models import Clock, Excuse
from handoff.services import add_routing_rule, draft_for_model, draft_next, log_touch
from handoff.services.holders import hand_to
from tests.access import ADMIN, MANAGER, MARKETER, PEOPLE, REP, Arguments, row
from tests.factories import NOW, make_team
from tests.handoff.factories import (
    clock_of,
    holder_of,
    make_agreement,
    make_calendar,
    make_handoff,
    make_rep,
    make_scoring_model,
    other_definition,
)
from tests.scoring.drafts import ready_draft


def handoff_of(viewer: User) -> Arguments:
    """Make a handoff that is the viewer's if they are a rep, and somebody's if they are not."""
    holder = viewer if viewer.has_role(REP) else make_rep(make_team())
    handoff = make_handoff(rep=holder)
    hand_to(handoff, holder, now=NOW)
    handoff.save(update_fields=["holder", "team"])
    return {"handoff_id": handoff.pk}


def handoff_of_somebody_else(_viewer: User) -> Arguments:
    return {"handoff_id": make_handoff(rep=make_rep(make_team())).pk}


def approved_model(_viewer: User) -> Arguments:
    """Make a draft of the model that changes what both teams signed, and is approved."""
    make_agreement()
    return {"model_id": ready_draft(other_definition()).pk}


def waiting_agreement(viewer: User) -> Arguments:
    """Make a version that waits for both signatures."""
    model_id = approved_model(viewer)["model_id"]
    return {"version": draft_for_model(model_id=model_id, actor=viewer, now=NOW).version}


def some_rep(_viewer: User) -> Arguments:
    return {"user_id": make_rep(make_team()).pk}


def some_rule(_viewer: User) -> Arguments:
    return {"rule_id": add_routing_rule(name="All", criteria={}, team=make_team()).pk}


def moved_rule(viewer: User) -> Arguments:
    return {**some_rule(viewer), "way": "up"}


def published(_viewer: User) -> Arguments:
    make_scoring_model()
    return {}


def own_draft(viewer: User) -> Arguments:
    """Make a draft of the first agreement."""
    published(viewer)
    return {"version": draft_next(now=NOW).version}


def own_tier(viewer: User) -> Arguments:
    return {**own_draft(viewer), "position": 1}


def moved_tier(viewer: User) -> Arguments:
    return {**own_tier(viewer), "way": "down"}


def calendar_of_a_team(_viewer: User) -> Arguments:
    return {"calendar_id": make_calendar(make_team()).pk}


def missed_clock_of(holder: User) -> Arguments:
    """Make a handoff of long ago whose accept clock ``holder`` let pass."""
    handoff = make_handoff(rep=holder)
    hand_to(handoff, holder, now=NOW)
    handoff.save(update_fields=["holder", "team"])
    return {"clock_id": clock_of(handoff, ClockKind.ACCEPT).pk}


def missed_clock(viewer: User) -> Arguments:
    """Make a clock that the viewer missed if they are a rep, and somebody if they are not."""
    return missed_clock_of(viewer if viewer.has_role(REP) else make_rep(make_team()))


def missed_clock_of_somebody_else(_viewer: User) -> Arguments:
    return missed_clock_of(make_rep(make_team()))


def late_touch(viewer: User) -> Arguments:
    """Make a touch of another rep that was written down late."""
    del viewer
    handoff = make_handoff(rep=make_rep(make_team()))
    touch = log_touch(
        handoff_id=handoff.pk,
        rep=holder_of(handoff),
        channel=TouchChannel.CALL,
        outcome=TouchOutcome.NO_ANSWER,
        occurred_at=NOW,
        now=NOW + timedelta(hours=1),
    )
    return {"touch_id": touch.pk}


def asked_excuse(viewer: User) -> Arguments:
    """Make an excuse of another rep that waits."""
    clock_id = missed_clock_of_somebody_else(viewer)["clock_id"]
    clock = Clock.objects.select_related("answerable").get(pk=clock_id)
    assert clock.answerable is not None
    excuse = Excuse.objects.create(
        clock=clock,
        reason=ExcuseReason.OUTAGE,
        started_at=clock.started_at,
        ended_at=clock.due_at,
        asked_by=clock.answerable,
        asked_at=clock.due_at,
    )
    return {"excuse_id": excuse.pk}


_SEEN = {"own": handoff_of, "foreign": handoff_of_somebody_else}
_WORKERS = (REP, MANAGER, ADMIN)
ROWS = [
    row("handoff:queue", REP),
    row("handoff:take", REP, method="post"),
    row("handoff:pool", REP),
    row("handoff:team", MANAGER, ADMIN),
    row("handoff:board", MANAGER, ADMIN),
    row("handoff:rebase", MANAGER, ADMIN),
    row("handoff:agreement", *PEOPLE),
    row("handoff:draft_agreement", MARKETER, ADMIN, own=approved_model, method="post"),
    row(
        "handoff:sign_agreement",
        MARKETER,
        MANAGER,
        own=waiting_agreement,
        method="post",
        data={"side": "MARKETING", "revision": "1"},
    ),
    row("handoff:agreement_next", MARKETER, MANAGER, ADMIN, own=published, method="post"),
    row("handoff:agreement_edit", MARKETER, MANAGER, ADMIN, own=own_draft),
    row("handoff:agreement_qualification", MARKETER, MANAGER, ADMIN, own=own_draft),
    row("handoff:agreement_tier_new", MARKETER, MANAGER, ADMIN, own=own_draft),
    row("handoff:agreement_tier", MARKETER, MANAGER, ADMIN, own=own_tier),
    row("handoff:agreement_tier_move", MARKETER, MANAGER, ADMIN, own=moved_tier, method="post"),
    row("handoff:routing", MANAGER, ADMIN),
    row("handoff:routing_new", MANAGER, ADMIN),
    row("handoff:dry_run", MANAGER, ADMIN),
    row("handoff:rep", MANAGER, ADMIN, own=some_rep),
    row("handoff:routing_rule", MANAGER, ADMIN, own=some_rule),
    row("handoff:routing_move", MANAGER, ADMIN, own=moved_rule, method="post"),
    row("handoff:calendars", MANAGER, ADMIN),
    row("handoff:calendar_new", MANAGER, ADMIN),
    row("handoff:calendar", MANAGER, ADMIN, own=calendar_of_a_team),
    row("handoff:calendar_edit", MANAGER, ADMIN, own=calendar_of_a_team),
    row("handoff:calendar_retire", MANAGER, ADMIN, own=calendar_of_a_team, method="post"),
    row("handoff:handoff", REP, MARKETER, MANAGER, ADMIN, **_SEEN),
    row("handoff:accept", *_WORKERS, **_SEEN, method="post"),
    row("handoff:reject", *_WORKERS, **_SEEN, method="post", data={"reason": "TOO_EARLY"}),
    row("handoff:log", *_WORKERS, **_SEEN, method="post", data={"act": "CALL.CONNECTED"}),
    row("handoff:snooze", *_WORKERS, **_SEEN),
    row("handoff:reassign", MANAGER, ADMIN, **_SEEN),
    row("handoff:refused", MARKETER, MANAGER, ADMIN),
    row("handoff:missed", REP),
    row("handoff:to_approve", MANAGER, ADMIN),
    row("handoff:excuse", *_WORKERS, own=missed_clock, foreign=missed_clock_of_somebody_else),
    row(
        "handoff:decide_excuse",
        MANAGER,
        ADMIN,
        own=asked_excuse,
        method="post",
        data={"grant": "yes"},
    ),
    row(
        "handoff:decide_touch", MANAGER, ADMIN, own=late_touch, method="post", data={"grant": "yes"}
    ),
    row("handoff:bant", *_WORKERS, **_SEEN),
    row("handoff:bant_save", *_WORKERS, **_SEEN, method="post", data={"budget": "YES"}),
]
