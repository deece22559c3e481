"""What this app shows on shared pages: columns, filters, views, panels, timeline, navigation."""

from crm.common.criteria import fields
from leads.fields import ATTRIBUTE_PREFIX, LEAD_FIELDS, attribute_fields

fields.register(*LEAD_FIELDS)
fields.register_family(ATTRIBUTE_PREFIX, attribute_fields)
