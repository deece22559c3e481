"""What is owed to leads, and what is not: by news of them, or because a model was published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, Expression, F, OuterRef, Q, QuerySet, Subquery, Value

from crm.common.prepared import PreparedQuery
from engagement.enums import Actor
from engagement.models import Event
from leads.enums import LifecycleStage
from leads.models import Lead, LeadFact
from leads.models.lead import LeadQuerySet
from scoring.models import LeadScore, MetBefore, RaisedHand, ReleasePlan, ScoringModel

#: Stages that scoring may end; in all others a person works with the lead.
OPEN_STAGES = (LifecycleStage.LEAD, LifecycleStage.RECYCLED)
#: A score or a move that failed is tried again after so long.
RETRY_AFTER = timedelta(minutes=5)


def with_news(model: ScoringModel, lead_ids: Sequence[int]) -> set[int]:
    """Return those of some leads that are open, and of which something was learned.

    It was learned under this model, and in the present stage of the lead.

    News that no sweep has acted on yet are news under any model: what was learned before a
    publication may be committed after it, and a move that failed is still owed.

    Neither publishing nor an import nor the move of a lead acts on what was there before: what was
    learned before the first model is no news, imported history needs a later act or attribute, and
    so does a lead that somebody brought back.
    """
    return {pk for (pk,) in _WITH_NEWS.rows(model.published_at, list(lead_ids))}


def _with_news_since(published_at: Expression) -> LeadQuerySet:
    later_act = Event.objects.filter(
        lead=OuterRef("pk"), actor=Actor.HUMAN, occurred_at__gt=OuterRef("imported_at")
    )
    return Lead.objects.standing().filter(
        Q(imported_at__isnull=True) | Exists(later_act) | Exists(facts_since("imported_at")),
        Q(score__news_at__gte=published_at)
        | Q(score__has_news=True, score__news_at__gte=_first_published_at()),
        stage__in=OPEN_STAGES,
        score__news_at__gte=F("stage_since"),
    )


def _first_published_at() -> Subquery:
    ever = ScoringModel.objects.filter(published_at__isnull=False).order_by("published_at")
    return Subquery(ever.values("published_at")[:1])


_WITH_NEWS = PreparedQuery(
    lambda published_at, lead_ids: (
        _with_news_since(published_at).filter(pk__among=lead_ids).values_list("pk")
    )
)


def facts_since(moment: str) -> QuerySet[LeadFact]:
    """Return what was learned of a lead after its column ``moment``, for a subquery."""
    return LeadFact.objects.filter(lead=OuterRef("pk"), recorded_at__gt=OuterRef(moment))


def newly_meeting(model: ScoringModel, *, now: datetime) -> list[LeadQuerySet]:
    """Return the open leads that meet the definition since ``model`` was published, in two parts.

    Their cell came into it; or else what they had done became a buying act. Nothing was learned of
    them since, or the sweep would have moved them; and nobody has moved them, or they would wait
    for news. No lead is in both parts, each of which is read from an index.
    """
    raised = RaisedHand.objects.filter(counts_until__gt=now)
    if not raised.exists():
        return [_unmoved(model).filter(_in_cells(model))]
    by_act = Q(pk__in=raised.values("pk")) & ~_in_cells(model)
    return [_unmoved(model).filter(part) for part in (_in_cells(model), by_act)]


def _in_cells(model: ScoringModel) -> Q:
    return Q(score__model=model, score__meets_definition=True)


def _unmoved(model: ScoringModel) -> LeadQuerySet:
    since = model.published_at
    return Lead.objects.standing().filter(
        Q(score__news_at__isnull=True) | Q(score__news_at__lt=since),
        Q(imported_at__isnull=True) | Q(imported_at__lte=since),
        ~Exists(MetBefore.objects.filter(lead=OuterRef("pk"))),
        stage__in=OPEN_STAGES,
        stage_since__lte=since,
    )


def remember_standing(former: ScoringModel | None, *, now: datetime) -> None:
    """Note who meets the definition of the former model before another takes its place.

    Whoever waits for a wave of the former model goes on waiting, also when not all scores were
    renewed under it; whose news no sweep has acted on is looked at by the next one. A plan ends
    with its model: how many leads wait, and how good they are, is another question then.
    """
    ReleasePlan.objects.filter(stopped_at__isnull=True).update(stopped_at=now)
    if former:
        _note_who_met(former)
        RaisedHand.objects.all().delete()


def _note_who_met(former: ScoringModel) -> None:
    meets = LeadScore.objects.filter(meets_definition=True, lead__stage__in=OPEN_STAGES)
    waits = _unmoved(former).filter(pk=OuterRef("lead"))
    # News that move nobody, such as imported acts, are no reason to forget who met it.
    owed = _with_news_since(Value(former.published_at)).filter(score__has_news=True)
    # What a model before the former one made of a lead was noted when that one was replaced.
    moves_nobody = Q(has_news=False) | ~Exists(owed.filter(pk=OuterRef("lead")))
    met = meets.filter(moves_nobody, ~Exists(waits), model=former)
    sql, parameters = met.values("lead_id").query.sql_with_params()
    with connection.cursor() as cursor:
        # Before any is forgotten: who waits is told from who does not by those known so far.
        cursor.execute(
            f"INSERT INTO scoring_metbefore (lead_id) {sql} ON CONFLICT DO NOTHING", parameters
        )
    MetBefore.objects.filter(~Exists(meets.filter(lead=OuterRef("lead")))).delete()
