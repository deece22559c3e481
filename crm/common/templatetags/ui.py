"""Tags and filters of the design language; ``docs/ui.md`` shows how pages use them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any
from uuid import uuid4

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString

from crm.accounts.models import User
from crm.common.once import TOKEN
from crm.common.ui import marks, scores, spans, words
from crm.common.ui.icons import icon
from crm.common.ui.markup import markup
from crm.common.ui.navigation import NavGroup, NavItem, nav_groups
from crm.common.ui.timeline import timeline_item

register = template.Library()

register.simple_tag(icon)
register.simple_tag(marks.grade_cell)
register.simple_tag(timeline_item)
register.simple_tag(nav_groups)
register.simple_tag(marks.sla_badge)
register.simple_tag(marks.countdown)
register.simple_tag(marks.bant_mark)
register.simple_tag(marks.answer_mark)
register.simple_tag(marks.attempts_mark, name="attempts")
register.simple_tag(marks.bar)
register.simple_tag(marks.stack_bar)
register.filter(words.signed)
register.filter(words.signed_tenths)
register.filter(words.tenths)
register.filter(words.phone)
register.filter(words.dialled)

_STAGE_ICONS = {
    "LEAD": "circle-dashed",
    "MQL": "contrast",
    "SAL": "circle-check",
    "SQL": "circle-dot",
    "WON": "trophy",
    "LOST": "circle-x",
    "RECYCLED": "refresh-cw",
    "DISQUALIFIED": "ban",
}


@register.simple_tag
def form_token() -> SafeString:
    """Mark a form, so that sending it twice does its work once; see ``crm.common.once``."""
    return markup('<input type="hidden" name="{}" value="{}">', TOKEN, uuid4())


@register.filter
def duration(span: timedelta | None) -> str:
    """``2 h 50``, ``6 d 4 h``; nothing for None."""
    return "" if span is None else words.duration(span)


@register.filter
def working_time(span: timedelta | None) -> str:
    """``2 h 50``, ``31 h``, never days; nothing for None."""
    return "" if span is None else words.working_time(span)


@register.filter
def ago(moment: datetime | None, now: datetime) -> str:
    """``8 min``, ``1 h``, ``Mon``, ``12 May``, in the reader's zone; nothing for None."""
    if moment is None:
        return ""
    return words.ago(timezone.localtime(moment), timezone.localtime(now))


@register.filter
def day(moment: datetime | None, now: datetime) -> str:
    """``Today``, ``Mon``, ``12 May`` in the reader's zone; nothing for None."""
    if moment is None:
        return ""
    return words.day(timezone.localtime(moment), timezone.localtime(now))


@register.filter
def breakable(address: str) -> SafeString:
    """An e-mail address that breaks at its ``@`` and the dots after it, not within a word."""
    name, at, host = address.partition("@")
    return markup("{}{}<wbr>{}", name, at, SafeString(escape(host).replace(".", "<wbr>.")))


@register.filter
def breakable_code(value: object) -> object:
    """A text that may be a code: ``planned_downtime`` breaks after underscores, no word does."""
    return SafeString(escape(value).replace("_", "_<wbr>")) if isinstance(value, str) else value


@register.filter
def heat(count: float, largest: float) -> int:
    """The step of a heat map, 0 for nothing to 4 for the largest."""
    return 0 if not count or not largest else min(4, 1 + int(4 * count / (largest + 1)))


@register.filter
def percent(part: float, whole: float) -> str:
    """``93.4 %``, ``3 of 4`` when fewer than ten were counted, a dash when none was."""
    return words.percent(part, whole)


@register.simple_tag
def share(part: float, whole: float) -> SafeString:
    """A percentage with its sample beside it: ``93.4 % n = 198``."""
    if whole < words.SMALLEST_SAMPLE:
        return markup('<span class="share is-small">{}</span>', words.percent(part, whole))
    return markup(
        '<span class="share"><b>{}</b> <span class="sample">n = {}</span></span>',
        words.percent(part, whole),
        f"{whole:,.0f}",
    )


@register.simple_tag
def trend(change: float | Decimal) -> SafeString:
    """A change with its arrow: up in green, down in grey, a plain 0."""
    if change == 0:
        return markup('<span class="trend">{}</span>', "0")
    direction, arrow = ("up", "arrow-up-right") if change > 0 else ("down", "arrow-down-right")
    return markup(
        '<span class="trend is-{}">{}{}</span>', direction, icon(arrow, 12, direction), abs(change)
    )


@register.simple_tag
def stage(code: str, label: str) -> SafeString:
    """A lifecycle stage: its icon and its name."""
    return markup('<span class="stage">{}{}</span>', icon(_STAGE_ICONS[str(code)], 14), label)


@register.simple_tag
def avatar(user: User | None, *, with_name: bool = False) -> SafeString | str:
    """A person's initials, with the name beside them when ``with_name``; nothing for nobody."""
    if user is None:
        return ""
    face = markup('<span class="face" aria-hidden="true">{}</span>', user.initials)
    if with_name:
        name = markup('<span dir="auto">{}</span>', user.full_name)
        return markup('<span class="person">{}{}</span>', face, name)
    return markup('{}<span class="visually-hidden">{}</span>', face, user.full_name)


@register.inclusion_tag("ui/_score_lines.html")
def score_lines(lines: Sequence[scores.ScoreLine], name: str = "") -> dict[str, Any]:
    """Lines of a score with their bars and their ruled total."""
    rows = list(zip(lines, scores.shares(lines), strict=True))
    return {"rows": rows, "total": scores.total(lines), "name": name}


@register.inclusion_tag("ui/_split_clock.html")
def split_clock(
    segments: Sequence[spans.ClockSegment], due_at: datetime | None = None
) -> dict[str, Any]:
    """Where the time went between hand-raise and first touch, to scale."""
    placed, due_x = spans.place_segments(segments, due_at)
    return {"placed": placed, "due_x": due_x, "sentence": ", ".join(part.title for part in placed)}


@register.inclusion_tag("ui/_split_clock_legend.html")
def split_clock_legend() -> dict[str, Any]:
    """The key of the split clock's textures."""
    return {"kinds": list(spans.SegmentKind)}


@register.inclusion_tag("ui/_day_rail.html")
def day_rail(rail: spans.DayRail) -> dict[str, Any]:
    """The rep's working day with its due times."""
    return {"rail": rail}


@register.inclusion_tag("ui/_kpi.html")
def kpi(
    label: str,
    figure: str,
    *,
    unit: str = "",
    note: str = "",
    verdict: str = "",
    state: str = "",
    url: str = "",
) -> dict[str, Any]:
    """One figure of a KPI strip; ``state`` is ok, risk, bad or nothing, ``url`` opens its leads."""
    return {
        "label": label,
        "figure": figure,
        "unit": unit,
        "note": note,
        "verdict": verdict,
        "state": state,
        "url": url,
    }


@register.inclusion_tag("ui/_verdict.html")
def verdict(state: str, text: str) -> dict[str, Any]:
    """A judgement as icon and words; ``state`` is ok, risk or bad."""
    return {"state": state, "text": text}


@register.inclusion_tag("ui/_empty.html")
def empty_state(
    icon_name: str, title: str, text: str, action_url: str = "", action_label: str = ""
) -> dict[str, Any]:
    """An empty place: what it is, why, and one way on."""
    return {
        "icon_name": icon_name,
        "title": title,
        "text": text,
        "action_url": action_url,
        "action_label": action_label,
    }


@register.filter
def bottom_tabs(navigation: Sequence[NavGroup]) -> list[NavItem]:
    """The destinations that a phone shows as tabs at the bottom; three fit beside "More"."""
    return [item for group in navigation for item in group.items if item.tab][:3]
