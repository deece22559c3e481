"""The lines of a timeline, of which a lead page has dozens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from crm.common.slots import EntryAct
from crm.common.ui.icons import icon
from crm.common.ui.markup import markup


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One line. ``kind`` is act, stage, system or machine.

    A run of repeats is one line with the time of the newest; ``repeats`` are its parts. ``gain``
    names a line whose points are still to be asked for.
    """

    at: datetime
    kind: str
    icon: str
    title: str
    detail: str = ""
    tag: str = ""
    points: str | None = None
    gain: str = ""
    url: str = ""
    act: EntryAct | None = None
    repeats: Sequence[TimelineItem] = ()


def timeline_item(item: TimelineItem) -> SafeString:
    """Draw a line, with the time in the reader's zone, and each of its repeats folded below it."""
    at = timezone.localtime(item.at)
    return markup(
        '<li class="act is-{}"><span class="act-icon">{}</span><div class="act-body">'
        '<p class="act-title">{}{}{}</p>{}{}</div>'
        '<span class="act-points num"{}>{}</span>'
        '<time class="act-time num" datetime="{}">{}</time></li>',
        item.kind,
        icon(item.icon, 14),
        markup('<a href="{}">{}</a>', item.url, item.title) if item.url else item.title,
        markup(' <span class="tag">{}</span>', item.tag) if item.tag else "",
        _button(item.act) if item.act else "",
        _detail(item.detail) if item.detail else "",
        _folded(item.repeats) if item.repeats else "",
        markup(' id="gain-{}"', item.gain) if item.gain else "",
        item.points or "",
        at.isoformat(),
        f"{at:%H:%M}",
    )


def _button(act: EntryAct) -> SafeString:
    return markup(
        ' <button class="act-do link" type="submit" form="entry-act" formaction="{0}"'
        ' name="{1}" value="{2}" hx-post="{0}" hx-target="closest li" hx-swap="outerHTML">{3}'
        "</button>",
        act.url,
        act.name,
        act.value,
        act.label,
    )


def _detail(detail: str) -> SafeString:
    lines = [markup("{}", line) for line in detail.splitlines()]
    return markup('<p class="act-detail">{}</p>', mark_safe("<br>".join(lines)))  # noqa: S308 -- each escaped


def _folded(items: Sequence[TimelineItem]) -> SafeString:
    drawn = mark_safe("".join(map(timeline_item, items)))  # noqa: S308 -- drawn above
    return markup(
        '<details class="act-repeats"><summary>Show each</summary><ol class="timeline">{}</ol>'
        "</details>",
        drawn,
    )
