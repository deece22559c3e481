"""What this app shows on pages of lower floors: columns, filters, views, panels."""

from crm.common.criteria import Keeper, fields, keepers
from crm.common.slots import (
    NavItem,
    Panel,
    TimelineGains,
    lead_columns,
    lead_panels,
    lead_views,
    navigation,
    timeline_gains,
)
from scoring.access import READER_ROLES
from scoring.columns import SCORE_COLUMNS, SCORE_VIEWS
from scoring.fields import SCORE_FIELDS
from scoring.kept_criteria import criteria_in_force
from scoring.panels import score_panel
from scoring.quality.fields import QUALITY_FIELD
from scoring.services import gain_rules, gains

fields.register(*SCORE_FIELDS, QUALITY_FIELD)
keepers.register(Keeper("scoring", 10, criteria_in_force))

lead_columns.register(*SCORE_COLUMNS)

lead_views.register(*SCORE_VIEWS)

lead_panels.register(
    Panel("grade", 10, "title", score_panel, "scoring/_grade_title.html"),
    Panel("score", 10, "right", score_panel, "scoring/_score_beside.html"),
)

timeline_gains.register(TimelineGains("score", 10, gains, gain_rules))

navigation.register(
    NavItem(
        name="scoring",
        label="Scoring",
        url_name="scoring:model",
        icon="sliders-vertical",
        order=220,
        group="Marketing",
        roles=READER_ROLES,
    ),
)
