"""Tags and filters of the lead list."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.template.loader import get_template
from django.utils import timezone

from crm.common.criteria import Chip
from crm.common.paging import Count, Page
from leads.countries import country_name
from leads.listing import Cell, ListAddress
from leads.models import Lead
from leads.normalise import source_label

register = template.Library()

register.filter(country_name)
register.filter(source_label)


@register.simple_tag
def lead_cell(lead: Lead, cell: Cell, now: datetime) -> str:
    """Render one cell with the template of its column, which gets lead, value and now."""
    compiled = get_template(cell.column.template)
    return compiled.render({"lead": lead, "value": cell.value, "now": now})


@register.simple_tag
def query_without(address: ListAddress, chip: Chip) -> str:
    """Return the query of the list without one of its filters."""
    return address.without(chip.query).query


@register.simple_tag
def zone_words(now: datetime) -> str:
    """Return whose time the page shows: ``Times in Berlin (CEST), as of 10:42``."""
    local = timezone.localtime(now)
    place = timezone.get_current_timezone_name().rpartition("/")[2].replace("_", " ")
    named = place if place == local.tzname() else f"{place} ({local.tzname()})"
    return f"Times in {named}, as of {local:%H:%M}"


@register.filter
def page_links(page: Page[Lead]) -> list[tuple[str, str]]:
    """Return cursor and label of the pages before and after."""
    cursors = ((page.previous_cursor, "Previous"), (page.next_cursor, "Next"))
    return [(cursor, label) for cursor, label in cursors if cursor]


@register.filter
def short_count(count: Count) -> str:
    """Return a count as a tab has room for: ``128``, ``12.3 k``, ``1.2 M``."""
    if not count.is_estimate:
        return f"{count.value:,}"
    thousands = count.value / 1000
    return f"{thousands:.3g} k" if thousands < 1000 else f"{thousands / 1000:.2g} M"


@register.filter
def days_until(moment: datetime, now: datetime) -> int:
    """Return the whole days from ``moment`` to ``now``."""
    return (now - moment).days
