"""Releasing leads to sales in waves: those that meet the definition since a model was published.

A wave names its leads when it is ordered; a sweep moves them one by one, each in a transaction that
also writes down what became of it. A crash between two leads loses nobody and moves nobody twice.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from crm.accounts.models import User
from crm.common.health import beat
from crm.common.locks import lock_writes
from crm.common.paging import merged_page
from crm.common.singly import do_singly
from leads.enums import ConsentPurpose, LifecycleStage
from leads.models import Consent, Lead
from leads.models.lead import LeadQuerySet
from leads.services import change_stage
from scoring.models import ReleasePlan, ReleaseWave, ScoringModel, WaveLead
from scoring.query import ask
from scoring.scored import Scored, score_leads
from scoring.services.fast_track import BuyingAct, buying_acts
from scoring.services.marking import mark_due
from scoring.services.publishing import definition_of, published_model
from scoring.services.qualification import qualifying_rule, snapshot_of
from scoring.services.standing import OPEN_STAGES, RETRY_AFTER, newly_meeting
from scoring.slots import desk_days

logger = logging.getLogger(__name__)

#: Leads of one wave, and leads that one round of the sweep moves; a move takes some 20 ms.
LARGEST_WAVE = 1_000
BATCH = 50
#: A move that failed so often is given up; whoever looks at the wave may order it again.
MOST_TRIES = 5
#: The best first: whoever is next to be released stands on top of the list.
ORDER = ("-score__engagement_score?", "-id")
_FAILED = f"could not be moved in {MOST_TRIES} tries; the log of the server says why"


class NothingToRelease(Exception):
    """No lead waits to be released; the message says why."""


class PlanRefused(Exception):
    """Leads cannot be released by this rate; the message says why."""


def waiting_leads(*, now: datetime) -> list[LeadQuerySet]:
    """Return the leads that meet the definition by its publication and are in no wave yet.

    They come in parts, of which no lead is in two, for ``merged_page`` in ``ORDER``.
    """
    model = published_model()
    if model is None:
        return []
    in_wave = WaveLead.objects.pending().filter(lead=OuterRef("pk"))
    return [part.filter(~Exists(in_wave)) for part in newly_meeting(model, now=now)]


def next_leads(count: int, *, now: datetime) -> list[int]:
    """Return the best of those who wait and may be contacted; who was left out is not next."""
    said = Consent.objects.filter(lead=OuterRef("pk"), purpose=ConsentPurpose.CONTACT)
    last_word = said.order_by("-given_at", "-id").values("is_granted")[:1]
    left_out = WaveLead.objects.exclude(left_out="").filter(
        lead=OuterRef("pk"), wave__model=published_model()
    )
    may_contact = Coalesce(Subquery(last_word), True)
    able = [
        part.alias(may_contact=may_contact).filter(~Exists(left_out), may_contact=True)
        for part in waiting_leads(now=now)
    ]
    best = [part.select_related("score").defer("search_text") for part in able]
    return [lead.pk for lead in merged_page(best, ordering=ORDER, size=count).items]


@transaction.atomic
def order_wave(
    *, actor: User, now: datetime, count: int = 0, lead_ids: Collection[int] = ()
) -> ReleaseWave:
    """Order the release of chosen leads, or of the next ``count``; the sweep moves them.

    Raises:
        NothingToRelease: nobody waits, or who is next is not known before the re-score is done.
    """
    lock_writes(ReleaseWave)
    model = published_model()
    if model and model.rescored_up_to is not None and not lead_ids:
        raise NothingToRelease(
            f"The scores of {model} are being computed, so who comes next is not known yet. Release"
            " ticked leads, or wait until the re-score is done."
        )
    ticked = list(dict.fromkeys(lead_ids))[:LARGEST_WAVE]
    chosen = ticked or next_leads(min(count, LARGEST_WAVE), now=now)
    known = set(Lead.objects.filter(pk__in=chosen).values_list("pk", flat=True))
    if model is None or not known:
        raise NothingToRelease("No lead waits to be released.")
    wave = ReleaseWave.objects.create(model=model, ordered_at=now, ordered_by=actor)
    _fill(wave, [lead_id for lead_id in chosen if lead_id in known])
    return wave


@transaction.atomic
def start_plan(*, per_day: int, actor: User, now: datetime) -> ReleasePlan:
    """Have so many leads released on each working day, in place of a plan that runs.

    Raises:
        PlanRefused: no model is in force, or the rate is no number from 1 to 1,000.
    """
    lock_writes(ReleasePlan)  # before the model is read: a publication stops plans, then switches
    model = published_model()
    if model is None:
        raise PlanRefused("No scoring model is in force.")
    if not 1 <= per_day <= LARGEST_WAVE:
        raise PlanRefused(f"Release 1 to {LARGEST_WAVE:,} leads a day.")
    _running(model).update(stopped_at=now)
    return ReleasePlan.objects.create(
        model=model, per_day=per_day, started_at=now, started_by=actor
    )


def stop_plan(*, now: datetime) -> int:
    """Stop the plan that runs; return whether there was one. Waves that it ordered go on."""
    return ReleasePlan.objects.filter(stopped_at__isnull=True).update(stopped_at=now)


def running_plan() -> ReleasePlan | None:
    """Return the plan that releases leads under the model in force."""
    model = published_model()
    return _running(model).select_related("model", "started_by").first() if model else None


def release_waves(*, now: datetime, limit: int = BATCH) -> int:
    """Order the wave of the day if one is owed, then move pending leads; return how many.

    Several sweeps may run at once: each passes by what another holds.
    """
    if plan := running_plan():
        _order_of_day(plan, now)
    pending = WaveLead.objects.pending().exclude(try_at__gt=now).order_by("pk")
    rows = list(pending.values_list("pk", flat=True)[:limit])

    def give_up(row_id: int, _: Exception) -> None:
        logger.exception("Could not release the lead of wave row %s", row_id)
        failed = WaveLead.objects.pending().filter(pk=row_id)
        failed.update(tries=F("tries") + 1, try_at=now + RETRY_AFTER)
        failed.filter(tries__gte=MOST_TRIES).update(left_out=_FAILED)

    do_singly(rows, lambda row_id: _release(row_id, now), give_up=give_up)
    beat("release_waves", now, WaveLead.objects.pending().count())
    return len(rows)


def _running(model: ScoringModel) -> QuerySet[ReleasePlan]:
    return ReleasePlan.objects.filter(model=model, stopped_at__isnull=True)


@transaction.atomic
def _order_of_day(plan: ReleasePlan, now: datetime) -> None:
    """Order the wave that a plan owes for this working day, once; the best are known by then."""
    day = _working_day(now)
    is_rescored = plan.model.rescored_up_to is None
    if day is None or not is_rescored or plan.waves.filter(day=day).exists():
        return
    lock_writes(ReleaseWave)
    if plan.waves.filter(day=day).exists() or not _running(plan.model).filter(pk=plan.pk).exists():
        return
    named = Q(wave__model=plan.model) | Q(released_at__isnull=False)
    of_any_plan = WaveLead.objects.filter(named, wave__day=day).count()
    lead_ids = next_leads(max(0, plan.per_day - of_any_plan), now=now)
    wave = ReleaseWave.objects.create(
        model=plan.model, plan=plan, day=day, ordered_at=now, ordered_by=plan.started_by
    )
    _fill(wave, lead_ids)


def _working_day(now: datetime) -> date | None:
    """Return the day while sales is at work; without a calendar every weekday is one, in UTC."""
    for desk in desk_days:
        if desk.is_known():
            return desk.day(now)
    return now.date() if now.weekday() < 5 else None


def _fill(wave: ReleaseWave, lead_ids: Sequence[int]) -> None:
    pending = WaveLead.objects.pending().filter(lead__in=lead_ids)
    elsewhere = set(pending.values_list("lead_id", flat=True))
    WaveLead.objects.bulk_create(
        WaveLead(
            wave=wave,
            lead_id=lead_id,
            left_out="is in another wave already" if lead_id in elsewhere else "",
        )
        for lead_id in lead_ids
    )


@transaction.atomic
def _release(row_id: int, now: datetime) -> None:
    """Move one lead, or write down why not; nothing when another sweep has it."""
    rows = WaveLead.objects.pending().select_for_update(skip_locked=True, of=("self",))
    row = rows.select_related("wave__model", "wave__ordered_by").filter(pk=row_id).first()
    if row is None:
        return
    row.left_out = _move(row, now)[:300]
    row.released_at = None if row.left_out else now
    row.save(update_fields=["left_out", "released_at"])


def _move(row: WaveLead, now: datetime) -> str:
    """Make the lead an MQL as things stand now; return why not, nothing when it is one."""
    model = row.wave.model
    lead = Lead.objects.select_for_update(no_key=True).get(pk=row.lead_id)
    if published_model() != model:
        return f"{model} is no longer in force"
    if moved := _moved(lead, row):
        return moved
    if _took_back_consent(lead):
        return "took back the consent to be contacted"
    definition = definition_of(model)
    asked = ask([lead.pk], now, known_at=now)
    [scored] = score_leads(definition, [lead.pk], asked, now=now)
    bought = buying_acts(definition, [lead.pk], now=now).get(lead.pk)
    if scored.disqualified_by or not qualifying_rule(model, definition, scored, bought):
        mark_due(lead_ids=[lead.pk], now=now, is_news=False)
        return _why_not(scored)
    change_stage(
        lead_id=lead.pk,
        to_stage=LifecycleStage.MQL,
        now=now,
        actor=row.wave.ordered_by,
        rule=_rule(row.wave, scored, bought),
        snapshot=snapshot_of(model, scored),
    )
    return ""


def _rule(wave: ReleaseWave, scored: Scored, bought: BuyingAct | None) -> str:
    how = f"by a rate of {wave.plan.per_day} a day" if wave.plan else "by hand"
    if bought:
        act = bought.kind.label
        why = f"{act[0].lower()}{act[1:]}, a fast track by model v{wave.model.version}"
    else:
        why = f"cell {scored.cell} is in the definition of model v{wave.model.version}"
    return f"Released {how}: {why}"


def _why_not(scored: Scored) -> str:
    if scored.disqualified_by:
        return f"is disqualified: {scored.disqualified_by}"
    if scored.blocked_by:
        return f"is blocked: {scored.blocked_by}"
    return f"no longer meets the definition: {scored.cell or 'fit is not evaluated'}"


def _moved(lead: Lead, row: WaveLead) -> str:
    """Return what somebody else did with the lead meanwhile; nothing when that is nothing."""
    if lead.merged_into:
        return f"was merged into {lead.merged_into}"
    if lead.stage not in OPEN_STAGES:
        return f"is {lead.get_stage_display()} already"
    if lead.stage_since > row.wave.ordered_at:
        return "was moved since the wave was ordered"
    return ""


def _took_back_consent(lead: Lead) -> bool:
    said = lead.consents.filter(purpose=ConsentPurpose.CONTACT).order_by("-given_at", "-id")
    last_word = said.values_list("is_granted", flat=True).first()
    return last_word is False
