"""Small marks that repeat on every row, drawn as inline SVG and kept once drawn.

Widths and dashes are SVG attributes: the content security policy allows no style attribute.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from crm.common.ui.badges import ClockState, SlaBadge
from crm.common.ui.icons import icon
from crm.common.ui.markup import markup

GRADES = "ABCD"
LEVELS = "1234"
ANSWER_WORDS = {"YES": "yes", "NO": "no", "UNKNOWN": "unknown", "NOT_ASKED": "not asked"}
BANT_QUESTIONS = ("Budget", "Authority", "Need", "Timeline")

_ATTEMPT_PITCH = 6
_ROOM_FOR_A_COUNT = 8  # percent of a bar
_STILL_ICONS = {
    ClockState.PAUSED: "pause",
    ClockState.WAITING: "hourglass",
    ClockState.MET: "check",
}
_ANSWER_SHAPES = {
    "YES": (
        '<circle class="disc" cx="8" cy="8" r="8"/><path class="tick" d="M4.6 8.3 7 10.6l4.4-5"/>'
    ),
    "NO": (
        '<circle class="ring" cx="8" cy="8" r="7.3"/>'
        '<path class="sign" d="m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6"/>'
    ),
    "UNKNOWN": (
        '<circle class="ring" cx="8" cy="8" r="7.3"/>'
        '<path class="sign" d="M6 6.4a2 2 0 1 1 2.8 2c-.6.3-.8.6-.8 1.2M8 11.6v.1"/>'
    ),
    "NOT_ASKED": '<circle class="dashes" cx="8" cy="8" r="7.2"/>',
}


def grade_cell(cell: str | None, definition: Collection[str], *, large: bool = False) -> SafeString:
    """Draw a cell such as ``B2`` in the grid of the MQL definition; None is "Not evaluated"."""
    return _grade_cell(cell or "", frozenset(definition), large)


@lru_cache(maxsize=512)
def _grade_cell(cell: str, definition: frozenset[str], large: bool) -> SafeString:
    size = " is-large" if large else ""
    if not cell:
        return markup('<span class="grade-cell is-missing{}">Not evaluated</span>', size)
    inside = cell in definition
    codes = [grade + level for grade in GRADES for level in LEVELS]
    return markup(
        '<span class="grade-cell{}{}" role="img" aria-label="{}" title="{}">'
        '<svg viewBox="0 0 19 19" aria-hidden="true">'
        '<path class="off" d="{}"/><path class="tint" d="{}"/><path class="own" d="{}"/>'
        "</svg>{}</span>",
        size,
        " is-inside" if inside else "",
        *[f"Grade {cell}, {'inside' if inside else 'outside'} the MQL definition"] * 2,
        _squares([code for code in codes if code not in definition and code != cell]),
        _squares([code for code in codes if code in definition and code != cell]),
        _squares([cell], grow=0.6),
        cell,
    )


def _squares(codes: Sequence[str], grow: float = 0) -> str:
    """Path of the 4 x 4 grid's squares: A to D downwards, 1 to 4 across, sides 4 with gaps of 1."""
    side = 4 + 2 * grow
    return "".join(
        f"M{5 * LEVELS.index(code[1]) - grow:g} {5 * GRADES.index(code[0]) - grow:g}"
        f"h{side:g}v{side:g}h-{side:g}z"
        for code in codes
    )


def sla_badge(badge: SlaBadge, *, large: bool = False) -> SafeString:
    """Draw a clock as a pill: ring or icon, the clock's name, what it says."""
    return markup(
        '<span class="clock-badge is-{}{}" title="{}"{}>{}<span class="clock-name">{}</span> '
        '<strong class="clock-text">{}</strong></span>',
        badge.state,
        " is-large" if large else "",
        badge.title,
        _countdown_attributes(badge),
        _face(badge, 20 if large else 16),
        badge.clock,
        badge.text,
    )


def countdown(badge: SlaBadge) -> SafeString:
    """Draw a clock as the queue's first column: large ring and figure, the clock's name below."""
    return markup(
        '<div class="countdown is-{}" title="{}"{}>{}<div><p class="countdown-time">'
        '<strong class="clock-figure">{}</strong> <span class="clock-word">{}</span></p>'
        '<p class="countdown-clock">{}{}</p></div></div>',
        badge.state,
        badge.title,
        _countdown_attributes(badge),
        _face(badge, 24),
        badge.figure,
        badge.word,
        badge.clock,
        "" if badge.state == ClockState.WAITING else " clock",
    )


def _face(badge: SlaBadge, size: int) -> SafeString:
    if badge.state in _STILL_ICONS:
        return icon(_STILL_ICONS[badge.state], size)
    return _ring(round(100 * badge.share_left), size)


@lru_cache(maxsize=512)
def _ring(share: int, size: int) -> SafeString:
    """All faces of a running clock; the class of the badge decides which of them is seen."""
    return mark_safe(  # noqa: S308 -- two integers
        f'<svg class="clock-ring" width="{size}" height="{size}" viewBox="0 0 16 16"'
        ' aria-hidden="true"><circle class="track" cx="8" cy="8" r="6.4"/>'
        '<circle class="arc" cx="8" cy="8" r="6.4" transform="rotate(-90 8 8)"'
        f' pathLength="100" stroke-dasharray="{share} 100"/>'
        '<path class="octagon" d="M5.3 1.6h5.4l3.7 3.7v5.4l-3.7 3.7H5.3l-3.7-3.7V5.3z"/>'
        '<path class="bang" d="M8 4.8v3.7m0 2.3v.2"/></svg>'
    )


def _countdown_attributes(badge: SlaBadge) -> SafeString | str:
    running = badge.running
    if running is None:
        return ""
    return markup(
        ' data-clock="{}" data-left="{}" data-allowed="{}" data-read-at="{}" data-closes-at="{}"',
        badge.clock,
        int(running.left.total_seconds()),
        int(running.allowed.total_seconds()),
        int(running.read_at.timestamp()),
        int(running.closes_at.timestamp()) if running.closes_at else "",
    )


def answer_mark(answer: str, size: int = 14) -> SafeString:
    """Draw one BANT answer: filled check yes, cross no, question mark unknown, dashes not asked."""
    return mark_safe(  # noqa: S308 -- a constant and an integer
        f'<svg class="answer" width="{int(size)}" height="{int(size)}" viewBox="0 0 16 16" '
        f'aria-hidden="true">{_ANSWER_SHAPES[answer]}</svg>'
    )


@lru_cache(maxsize=1024)
def _bant_mark(answers: tuple[str, ...], questions: tuple[str, ...], size: int) -> SafeString:
    sentence = ", ".join(
        f"{question} {ANSWER_WORDS[answer]}"
        for question, answer in zip(questions, answers, strict=True)
    )
    return markup(
        '<span class="bant-mark" role="img" aria-label="{}" title="{}">{}</span>',
        sentence,
        sentence,
        format_html_join("", "{}", ((answer_mark(answer, size),) for answer in answers)),
    )


def bant_mark(
    answers: Sequence[str], size: int = 14, questions: Sequence[str] = BANT_QUESTIONS
) -> SafeString:
    """Draw the answers in the order of ``questions``, by default Budget, Authority, Need, Timeline.

    Args:
        answers: Each ``YES``, ``NO``, ``UNKNOWN`` or ``NOT_ASKED``.
        size: Sides of one mark in px.
        questions: What is called what.

    Raises:
        ValueError: There are not as many answers as questions.
    """
    return _bant_mark(tuple(str(answer) for answer in answers), tuple(questions), size)


@lru_cache(maxsize=256)
def attempts_mark(done: int, planned: int) -> SafeString:
    """Draw the attempts made so far as small bars, and say them: ``2 of 6``."""
    bars = (
        ("done" if place < done else "open", _ATTEMPT_PITCH * place) for place in range(planned)
    )
    return markup(
        '<span class="attempts"><svg width="{}" height="12" aria-hidden="true">{}</svg>'
        '<span>{} of {}<span class="visually-hidden"> attempts</span></span></span>',
        _ATTEMPT_PITCH * planned - 1,
        format_html_join("", '<rect class="{}" x="{}" width="5" height="12" rx="1.5"/>', bars),
        done,
        planned,
    )


def stack_bar(parts: Sequence[tuple[str, str, int]]) -> SafeString:
    """Draw the parts of a whole side by side: kind (``step-1`` ... ``late``), words and count each.

    The count of ``late`` stands on it where there is room.
    """
    whole = sum(count for _, _, count in parts) or 1
    drawn: list[tuple[str, str, str, str, int]] = []
    figure: SafeString | str = ""
    start = 0
    for kind, words, count in parts:
        share = 100 * count / whole
        drawn.append((kind, f"{100 * start / whole:.2f}", f"{share:.2f}", words, count))
        if kind == "late" and share >= _ROOM_FOR_A_COUNT:
            middle = 100 * start / whole + share / 2
            figure = markup('<text x="{}%" y="11">{}</text>', f"{middle:.2f}", count)
        start += count
    return markup(
        '<svg class="stack" role="img" aria-label="{}">{}{}</svg>',
        ", ".join(f"{words}: {count}" for _, words, count in parts),
        format_html_join(
            "",
            '<rect class="is-{}" x="{}%" width="{}%" height="100%"><title>{}: {}</title></rect>',
            [each for each in drawn if each[-1]],
        ),
        figure,
    )


def bar(share: float, *, mark: float | None = None, hollow: bool = False) -> SafeString:
    """Draw a share of 0 to 1 as a bar, with an optional mark such as the average of all."""
    filled = min(max(share, 0.0), 1.0) * 100
    line = (
        markup('<line class="bar-mark" x1="{0}%" x2="{0}%" y1="0" y2="100%"/>', f"{mark * 100:.1f}")
        if mark is not None
        else ""
    )
    return markup(
        '<svg class="bar{}" aria-hidden="true">'
        '<rect class="bar-track" width="100%" height="100%" rx="2"/>'
        '<rect class="bar-fill" width="{}%" height="100%" rx="2"/>{}</svg>',
        " is-hollow" if hollow else "",
        f"{filled:.1f}",
        line,
    )
