"""The one filter language: a JSON tree over registered lead fields.

``{"all": [...]}``, ``{"any": [...]}`` and ``{"not": {...}}`` hold trees; a leaf is
``{"field": "stage", "op": "in", "value": ["MQL", "SAL"]}``; ``{}`` fits every lead. Lists,
saved views, segments, fit rules, disqualifiers, routing and tiers all use it. ``fields`` says what
can be asked, ``tree`` checks and compiles, ``query`` writes trees into addresses and back.
"""

from crm.common.criteria.fields import Field, Kind, Op, ValueInvalid, column_field, fields
from crm.common.criteria.keepers import Keeper, keepers, users_of
from crm.common.criteria.query import Chip, chips, from_query, to_query, top_leaves
from crm.common.criteria.tree import (
    Criteria,
    CriteriaInvalid,
    compile_q,
    leaves,
    parse,
    sentence,
    used_fields,
)

__all__ = [
    "Chip",
    "Criteria",
    "CriteriaInvalid",
    "Field",
    "Keeper",
    "Kind",
    "Op",
    "ValueInvalid",
    "chips",
    "column_field",
    "compile_q",
    "fields",
    "from_query",
    "keepers",
    "leaves",
    "parse",
    "sentence",
    "to_query",
    "top_leaves",
    "used_fields",
    "users_of",
]
