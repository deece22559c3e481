"""Opening a handoff in the transaction that made the MQL, and withdrawing it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from crm.accounts.enums import NewsKind
from crm.accounts.models import User
from crm.common.notifications import notify
from handoff.answer_lines import blank_lines
from handoff.brief import digest
from handoff.enums import ClockKind, DecisionKind, HandoffState
from handoff.frameworks import DEFAULT_QUALIFICATION
from handoff.models import (
    LONGEST_RULE,
    Agreement,
    AssignmentDecision,
    BantAssessment,
    Clock,
    Handoff,
    SlaTier,
)
from handoff.policy import Targets, default_targets
from handoff.services.briefs import Findings, compose_brief, find_out
from handoff.services.calendars import calendar_of
from handoff.services.clocks import start_clocks
from handoff.services.closing import close_handoff
from handoff.services.holders import hand_to
from handoff.services.people import managers_of, pool_of
from handoff.services.routing import Route, fits, route
from leads.models import Lead, StageInterval


@transaction.atomic
def open_handoff(*, change: StageInterval, now: datetime) -> Handoff | None:
    """Open the handoff of a lead that has just become an MQL; None when one is open already.

    Runs in the transaction of ``change``, which holds the lead. The agreement in force and its tier
    are pinned, the brief is frozen, and all three clocks start at ``now``, each with its target:
    nobody gains time for a later promise by being late with an earlier one.
    """
    if Handoff.objects.open().filter(lead=change.lead_id).exists():
        return None
    lead = Lead.objects.select_related("company").get(pk=change.lead_id)
    agreement = Agreement.objects.in_force(now).first()
    policy = agreement.policy if agreement else DEFAULT_QUALIFICATION
    findings = find_out(lead, change, policy.questions, now=now)
    tier = choose_tier(agreement, lead, is_fast_track=findings.is_fast_track, now=now)
    way = route(lead, now=now)
    brief = compose_brief(lead, findings, agreement=agreement, now=now)
    handoff = Handoff.objects.create(
        lead=lead,
        cycle=change.cycle,
        team=way.team,
        agreement=agreement,
        tier=tier,
        calendar=calendar_of(way.team, way.holder),
        is_fast_track=findings.is_fast_track,
        raised_at=min(findings.raised_at, now),
        opened_at=now,
        brief=brief,
        brief_digest=digest(brief),
        why=findings.why,
        score=change.engagement_score,
        cell=change.cell,
    )
    hand_to(handoff, way.holder, now=now)
    handoff.save(update_fields=["holder", "team"])
    way.record(handoff, now=now)
    clocks = start_clocks(handoff, targets_of(tier, is_fast_track=findings.is_fast_track))
    _prefill_bant(handoff, findings, now)
    _announce(handoff, way, clocks, now)
    return handoff


@transaction.atomic
def withdraw_handoff(
    *, lead_id: int, because: str, actor: User | None, now: datetime, reason: str = ""
) -> Handoff | None:
    """Close the open handoff of a lead that sales has no longer to work; None when there is none.

    What was due by ``now`` stays breached, and nothing is breached after it. Runs in a transaction
    that holds the lead.

    Args:
        lead_id: whose handoff it is.
        because: what ended it, and by whom; its record keeps that.
        actor: who did it, and need not be told.
        now: when.
        reason: what the holder is told beside ``because``.
    """
    handoff = (
        Handoff.objects.open()
        .select_for_update(of=("self",), no_key=True)
        .select_related("lead", "holder")
        .filter(lead=lead_id)
        .first()
    )
    if handoff is None:
        return None
    close_handoff(handoff, HandoffState.WITHDRAWN, now=now)
    AssignmentDecision.objects.create(
        handoff=handoff,
        kind=DecisionKind.ENDED,
        rule=because[:LONGEST_RULE],
        candidates=[],
        decided_at=now,
    )
    if handoff.holder is not None and handoff.holder != actor:
        notify(
            kind=NewsKind.HANDOFF,
            recipients=[handoff.holder],
            key=f"handoff:{handoff.pk}:withdrawn",
            title=f"{handoff.lead.display_name} left your queue",
            body=f"{because}. {reason}".strip(),
            url=handoff.get_absolute_url(),
            icon="undo-2",
            topic=f"handoff:{handoff.pk}",
            now=now,
        )
    return handoff


def choose_tier(
    agreement: Agreement | None, lead: Lead, *, is_fast_track: bool, now: datetime
) -> SlaTier | None:
    """Return the first tier that fits; the last one takes what fits none.

    A fast-track tier takes buying acts first. Its criteria, if it has any, say who else is in it.
    """
    if agreement is None:
        return None
    tiers = list(agreement.tiers.order_by("position"))
    if is_fast_track:
        fast = [tier for tier in tiers if tier.is_fast_track]
        if fast:
            return fast[0]
    for tier in tiers:
        is_for_all = not tier.criteria and not tier.is_fast_track
        if is_for_all or (tier.criteria and fits(lead, tier.criteria, now=now)):
            return tier
    return tiers[-1] if tiers else None


def targets_of(tier: SlaTier | None, *, is_fast_track: bool) -> Targets:
    """Return the working time allowed per clock; the default policy where nothing is agreed."""
    if tier is None:
        return default_targets(is_fast_track=is_fast_track)
    return {kind: getattr(tier, SlaTier.TARGETS[kind]) for kind in ClockKind}


def _prefill_bant(handoff: Handoff, findings: Findings, now: datetime) -> None:
    """Start the BANT form with what forms have told, each answer with its source."""
    policy = handoff.policy
    BantAssessment.objects.create(
        handoff=handoff,
        framework=policy.framework,
        lines=blank_lines(policy, findings.told),
        saved_at=now,
    )


def _announce(handoff: Handoff, way: Route, clocks: list[Clock], now: datetime) -> None:
    """Tell the holder; when there is none, tell everybody who can do something about it."""
    name = handoff.lead.display_name
    if way.holder is not None:
        accept_by = clocks[0].due_at.astimezone(ZoneInfo(way.holder.time_zone))
        recipients, title = [way.holder], f"New handoff: {name}"
        body = f"{handoff.why}. Accept by {accept_by:%a %H:%M}."
    elif way.to_pool:
        recipients, title = pool_of(handoff.team_id), f"New in the pool: {name}"
        body = f"{way.rule}. Whoever takes it first has it."
    else:
        recipients = [*managers_of(handoff.team_id), *pool_of(handoff.team_id)]
        title = f"Nobody could be given {name}"
        body = f"{way.rule}. It waits in the pool{f' of {way.team}' if way.team else ''}."
    notify(
        kind=NewsKind.HANDOFF,
        recipients=recipients,
        key=f"handoff:{handoff.pk}:opened",
        title=title,
        body=body,
        url=handoff.get_absolute_url(),
        icon="user-round-check" if way.holder else "layers",
        topic=f"handoff:{handoff.pk}",
        now=now,
    )
