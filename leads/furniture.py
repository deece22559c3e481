"""What this app shows on shared pages: columns, filters, views, panels, timeline, navigation."""

from crm.common.criteria import Keeper, fields, keepers
from crm.common.slots import (
    NavItem,
    Panel,
    TimelineSource,
    lead_columns,
    lead_panels,
    lead_views,
    navigation,
    timeline_sources,
)
from leads.bulk.acts import bulk_acts
from leads.bulk.moving import MOVING
from leads.bulk.tagging import TAGGING
from leads.columns import LEAD_COLUMNS, LEAD_VIEWS
from leads.duplicates import possible_duplicates
from leads.edits import EDITS, edit_entries
from leads.fields import ATTRIBUTE_PREFIX, LEAD_FIELDS, attribute_fields
from leads.merge_entries import MERGES, merge_entries
from leads.merged_rows import LEAD_ROWS
from leads.merging import followers
from leads.panels import consents, next_step
from leads.saved_views import kept_criteria
from leads.standing_fields import STANDING_FIELDS
from leads.timeline_sources import DEALS, NOTES, deal_entries, note_entries, stage_entries

fields.register(*LEAD_FIELDS, *STANDING_FIELDS)
fields.register_family(ATTRIBUTE_PREFIX, attribute_fields)
keepers.register(Keeper("views", 5, kept_criteria))

bulk_acts.register(TAGGING, MOVING)
followers.register(LEAD_ROWS)
lead_columns.register(*LEAD_COLUMNS)
lead_views.register(*LEAD_VIEWS)
navigation.register(NavItem("leads", "Leads", "leads:list", "users", 10, key="g l", tab="Leads"))

lead_panels.register(
    Panel("duplicates", 40, "left", possible_duplicates, "leads/_lead_duplicates.html"),
    Panel("consent", 50, "left", consents, "leads/_lead_consent.html"),
    Panel("next_step", 90, "right", next_step, "leads/_lead_next_step.html"),
)

timeline_sources.register(
    TimelineSource("stages", 7, stage_entries, kinds=("score", "sales")),
    TimelineSource("edits", 15, edit_entries, kinds=("sales",), reads=(EDITS,)),
    TimelineSource("merges", 18, merge_entries, kinds=("sales",), reads=(MERGES,)),
    TimelineSource("notes", 20, note_entries, kinds=("sales",), reads=(NOTES,)),
    TimelineSource("deals", 30, deal_entries, kinds=("sales",), reads=(DEALS,)),
)
