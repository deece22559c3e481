"""Tags and filters of the lead list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from html import escape
from typing import Any

from crispy_forms.utils import render_crispy_form
from django import template
from django.template import Context, Template
from django.template.loader import get_template
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from crm.accounts.models import User
from crm.common.addresses import page_of, page_pattern
from crm.common.criteria import Chip
from crm.common.paging import Count, Page
from crm.common.ui.icons import icon
from leads.bulk.acts import BULK_ROLES
from leads.enums import LifecycleStage
from leads.fact_forms import TOGETHER
from leads.forms import NoteForm
from leads.lifecycle import moves_by_hand
from leads.list_address import ListAddress
from leads.listing import Cell, Row
from leads.models import Lead

register = template.Library()


_ROW = """
<tr data-row id="lead-{pk}">
  <td class="select-cell">
    <input class="form-check-input" type="checkbox" name="ids" value="{pk}" data-select
           aria-label="Select {name}">
  </td>
  <th class="card-name" scope="row"><a class="row-name" href="{url}" data-open>{name}</a></th>
  {cells}
</tr>"""


@register.simple_tag
def lead_rows(rows: Sequence[Row], now: datetime, query: str) -> SafeString:
    """Return the rows of a list, their cells drawn by the columns or with their templates.

    In a template the tags of hundreds of cells would take most of the page's time. ``query`` is
    that of the list, which the page of a lead leads back to.
    """
    address = f"{page_pattern('leads:detail')}?{urlencode({'from': query})}"
    local = timezone.localtime(now)
    return SafeString("".join(_row(row, local, address) for row in rows))


def _row(row: Row, now: datetime, address: str) -> str:
    lead = row.lead
    inner = Context({"lead": lead, "now": now})
    return _ROW.format(
        pk=lead.pk,
        name=escape(str(lead)),
        url=escape(address.replace("{}", str(lead.pk), 1)),
        cells="".join(_cell(cell, lead, inner, now) for cell in row.cells),
    )


def _cell(cell: Cell, lead: Lead, inner: Context, now: datetime) -> str:
    return f'<td class="{cell.column.align}">{_content(cell, lead, inner, now)}</td>'


def _content(cell: Cell, lead: Lead, inner: Context, now: datetime) -> str:
    column = cell.column
    if column.draw:
        drawn = column.draw(lead, cell.value, now)
        return drawn if isinstance(drawn, SafeString) else escape(drawn)
    inner["value"] = cell.value
    return _template(column.template).render(inner)


_CARD = """
<article class="board-card" draggable="true" data-row>
  <a class="row-name" href="{url}" data-open>{name}</a>
  <div class="card-cells">{cells}</div>
  {moves}
</article>"""
_MOVE_WORDS = {
    LifecycleStage.LEAD: "Reinstate",
    LifecycleStage.MQL: "Hand off",
    LifecycleStage.RECYCLED: "Recycle",
    LifecycleStage.DISQUALIFIED: "Disqualify",
}


@register.simple_tag
def lead_cards(rows: Sequence[Row], now: datetime, query: str, viewer: User) -> SafeString:
    """Return the cards of a column of the board, drawn like ``lead_rows``.

    A card has the cells that a phone shows too, and the moves that ``viewer`` may make.
    """
    page, move = page_pattern("leads:detail"), page_pattern("leads:stage")
    ending = urlencode({"from": query})
    local = timezone.localtime(now)
    return SafeString(
        "".join(
            _CARD.format(
                url=escape(f"{page.format(row.lead.pk)}?{ending}"),
                name=escape(str(row.lead)),
                cells=_card_cells(row, local),
                moves=_moves(row.lead, move, ending) if viewer.has_role(*BULK_ROLES) else "",
            )
            for row in rows
        )
    )


def _card_cells(row: Row, now: datetime) -> str:
    inner = Context({"lead": row.lead, "now": now})
    shown = [
        cell
        for cell in row.cells
        if "only-wide" not in cell.column.align and cell.column.name != "stage"
    ]
    drawn = [(cell.column.name, _content(cell, row.lead, inner, now)) for cell in shown]
    return "".join(f'<span class="card-{name}">{said}</span>' for name, said in drawn if said)


def _moves(lead: Lead, address: str, ending: str) -> str:
    links = [
        f'<a href="{escape(f"{address.format(lead.pk)}?to_stage={to_stage.value}&{ending}")}"'
        f' data-to="{to_stage.value}">{_MOVE_WORDS[to_stage]}</a>'
        for to_stage in moves_by_hand(LifecycleStage(lead.stage))
    ]
    return f'<p class="card-moves">{"".join(links)}</p>' if links else ""


@cache
def _template(name: str) -> Template:
    """Return a template of a column; there are few, and they do not change while Baton runs."""
    compiled: Any = get_template(name)
    template: Template = compiled.template
    return template


@register.simple_tag
def note_field(form: NoteForm) -> SafeString:
    """Return the field of a note; an empty one, which is always the same, is drawn once."""
    return _drawn(form) if form.is_bound else _empty_note()


@cache
def _empty_note() -> SafeString:
    return _drawn(NoteForm())


def _drawn(form: NoteForm) -> SafeString:
    return SafeString(render_crispy_form(form))


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
    thousands, millions = count.value / 1000, count.value / 1_000_000
    if thousands < 999.5:  # from there on three digits are none of thousands
        return f"{thousands:.3g} k"
    return f"{millions:.2g} M" if millions < 99.5 else f"{millions:,.0f} M"


_CHANGE = """
<a class="fact-change" href="{edit}#id_{field}" hx-get="{url}" hx-target="{target}"
   aria-label="Change {label}" title="Change {label}"{focus}>{drawn}</a>"""
#: Facts that the page offers to fill in while they are missing.
_FILLED_IN = (
    ("email", "E-mail"), ("phone", "Phone"), ("title", "Role"), ("company_name", "Company"),
)  # fmt: skip


@register.simple_tag(takes_context=True)
def change_fact(context: Context, lead: Lead, name: str, label: str) -> SafeString:
    """Return what opens a fact as a form in its place; without scripts it leads to the whole form.

    Written out, as a page has a dozen of them. ``changed`` of the context names the fact that was
    changed just now: the focus goes back there.
    """
    focus = " autofocus" if context.get("changed") == name else ""
    return SafeString(_change(lead, name, label, _pencil(), target="closest dd", focus=focus))


@register.simple_tag
def missing_facts(lead: Lead, place: str) -> SafeString:
    """Return what offers to fill in the usual facts that are missing; nothing when none is."""
    missing = [(name, label) for name, label in _FILLED_IN if not getattr(lead, name)]
    if not place:
        missing.append(("place", "Place"))
    if not missing:
        return SafeString("")
    offers = [_change(lead, *fact, escape(fact[1]), target="next dd") for fact in missing]
    return SafeString(
        f'<dt>Add</dt><dd class="fact-adds">{"".join(offers)}</dd><dd class="fact-new"></dd>'
    )


def _change(lead: Lead, name: str, label: str, drawn: str, *, target: str, focus: str = "") -> str:
    page = page_of("leads:detail", lead.pk)
    field = TOGETHER.get(name, (name,))[0]
    return _CHANGE.format(
        edit=f"{page}edit/",
        field=field,
        url=f"{page}facts/{name}/",
        target=target,
        label=escape(label.lower()),
        drawn=drawn,
        focus=focus,
    )


@cache
def _pencil() -> str:
    return icon("pencil", 12)
