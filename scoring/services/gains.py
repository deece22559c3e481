"""What acts added to the score of a lead when they happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from psycopg.sql import SQL

from crm.common.prepared import prepared
from scoring.definition import Definition
from scoring.query import KEEP, engagement_tables
from scoring.services.publishing import definition_of, published_model
from scoring.services.reach import instants_in_reach
from scoring.sql import rendered, with_tables

#: The least time there is before an instant: what had happened by then, but for its own acts.
_TICK = timedelta(microseconds=1)
#: Asks for lead ``$1`` as of each of ``$2``, by what is known at ``$3``.
_ASK = SQL(
    "SELECT $1::bigint AS lead_id, as_of, $3::timestamptz AS known_at"
    " FROM unnest($2::timestamptz[]) AS as_of"
)


def gains(lead_id: int, moments: Sequence[datetime], now: datetime) -> Mapping[datetime, Decimal]:
    """Return what happened to the engagement of a lead at each of ``moments``, in points.

    A gain is the score with the acts of that instant less the score without them, under the model
    in force at ``now`` and by what is known then. So it is 0 for an act that no rule counts, and
    for one above a cap; acts of one instant share one gain. Of a lead with very many acts only the
    latest gains are computed. Nothing is returned without a model.
    What ``TimelineGains`` asks for.
    """
    model = published_model()
    asked = sorted(set(moments))
    if model is None or not asked:
        return {}
    asked = asked[-(instants_in_reach(lead_id, 2 * len(asked)) // 2) :]
    around = [*asked, *(moment - _TICK for moment in asked)]
    found = prepared(_query(definition_of(model)), [lead_id, around, now])
    scores = {row["as_of"]: row["score"] for row in found}
    return {moment: Decimal(scores[moment] - scores[moment - _TICK]) / 10 for moment in asked}


def gain_rules() -> str:
    """Return what gains are counted by: ``scoring model v3``."""
    model = published_model()
    return f"scoring model v{model.version}" if model else "no scoring model"


@lru_cache(maxsize=16)
def _query(definition: Definition) -> SQL:
    body = SQL("SELECT as_of, score FROM engagement")
    return rendered(with_tables(engagement_tables(definition, _ASK), body, keep=KEEP))
