"""Who meets the definition because a model was published, and who did before."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from leads.enums import LifecycleStage
from leads.models import Lead
from leads.models.lead import LeadQuerySet
from scoring.models import LeadScore, MetBefore, ReleasePlan, ScoringModel

#: Stages that scoring may end; in all others a person works with the lead.
OPEN_STAGES = (LifecycleStage.LEAD, LifecycleStage.RECYCLED)


def newly_meeting(model: ScoringModel) -> LeadQuerySet:
    """Return the open leads that meet the definition since ``model`` was published.

    Nothing was learned of them since, or the sweep would have moved them; and nobody has moved
    them, or they would wait for news.
    """
    since = model.published_at
    return Lead.objects.filter(
        Q(score__news_at__isnull=True) | Q(score__news_at__lt=since),
        Q(imported_at__isnull=True) | Q(imported_at__lte=since),
        ~Exists(MetBefore.objects.filter(lead=OuterRef("pk"))),
        stage__in=OPEN_STAGES,
        stage_since__lte=since,
        score__model=model,
        score__meets_definition=True,
    )


def remember_standing(former: ScoringModel | None, *, now: datetime) -> None:
    """Note who meets the definition of the former model before another takes its place.

    Whoever waits for a wave of the former model goes on waiting, also when not all scores were
    renewed under it. A plan ends with its model: how many leads wait, and how good they are, is
    another question under the next one.
    """
    ReleasePlan.objects.filter(stopped_at__isnull=True).update(stopped_at=now)
    if former is None:
        return
    meets = LeadScore.objects.filter(meets_definition=True, lead__stage__in=OPEN_STAGES)
    waits = newly_meeting(former).filter(pk=OuterRef("lead"))
    # What a model before the former one made of a lead was noted when that one was replaced.
    met = meets.filter(~Exists(waits), model=former)
    sql, parameters = met.values("lead_id").query.sql_with_params()
    with connection.cursor() as cursor:
        # Before any is forgotten: who waits is told from who does not by those known so far.
        cursor.execute(
            f"INSERT INTO scoring_metbefore (lead_id) {sql} ON CONFLICT DO NOTHING", parameters
        )
    MetBefore.objects.filter(~Exists(meets.filter(lead=OuterRef("lead")))).delete()
