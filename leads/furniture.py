"""What this app shows on shared pages: columns, filters, views, panels, timeline, navigation."""

from crm.common.criteria import fields
from crm.common.slots import Panel, TimelineSource, lead_panels, timeline_sources
from leads.fields import ATTRIBUTE_PREFIX, LEAD_FIELDS, attribute_fields
from leads.panels import next_step
from leads.timeline_sources import deal_entries, note_entries, stage_entries

fields.register(*LEAD_FIELDS)
fields.register_family(ATTRIBUTE_PREFIX, attribute_fields)

lead_panels.register(Panel("next_step", 90, "right", next_step, "leads/_lead_next_step.html"))

timeline_sources.register(
    TimelineSource("stages", 5, stage_entries, kinds=("score", "sales")),
    TimelineSource("notes", 20, note_entries, kinds=("sales",)),
    TimelineSource("deals", 30, deal_entries, kinds=("sales",)),
)
