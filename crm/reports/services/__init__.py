"""Services of the reports: what they count beforehand."""

from crm.reports.services.funnel import count_funnel_days
from crm.reports.services.sla import count_sla_days, count_splits

__all__ = ["count_funnel_days", "count_sla_days", "count_splits"]
