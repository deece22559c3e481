"""A page with every component in every state, for those who build pages or check them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from crm.accounts.access import role_required
from crm.accounts.enums import Role
from crm.common.ui.badges import (
    ClockState,
    Running,
    SlaBadge,
    met_badge,
    paused_badge,
    running_badge,
    waiting_badge,
)
from crm.common.ui.scores import ScoreLine
from crm.common.ui.spans import ClockSegment, DayRail, RailMark, SegmentKind
from crm.common.ui.timeline import TimelineItem

DEFINITION = frozenset({"A1", "A2", "A3", "B1", "B2", "C1"})
NOON = datetime(2026, 5, 12, 10, 42, tzinfo=UTC)


@role_required(Role.ADMIN)
@require_GET
def components(request: HttpRequest) -> HttpResponse:
    """Show every component in every state, with invented data."""
    return render(request, "ui/components.html", sample_data())


def sample_data() -> dict[str, Any]:
    """Return one example of each thing that a component can show."""
    return {
        "now": NOON,
        "definition": DEFINITION,
        "cells": ["A1", "B2", "C1", "B3", "D4", ""],
        "badges": sample_badges(),
        "large_badges": [
            _running("Accept", left=21, allowed=120),
            _running("Touch", left=-6, allowed=60),
        ],
        "answers": [
            ["YES", "YES", "YES", "YES"],
            ["YES", "YES", "YES", "UNKNOWN"],
            ["NO", "NOT_ASKED", "YES", "NOT_ASKED"],
            ["NOT_ASKED", "NOT_ASKED", "NOT_ASKED", "NOT_ASKED"],
        ],
        "segments": sample_segments(),
        "due_at": NOON - timedelta(minutes=54),
        "rail": sample_rail(),
        "lines": [
            ScoreLine("Case study, 15 yesterday", 14.66),
            ScoreLine("Single-shift plant", -8),
            ScoreLine("Maintenance system unknown", 0, is_known=False),
        ],
        "acts": sample_acts(),
        "chart": sample_chart(),
        "spans": [timedelta(seconds=40), timedelta(minutes=19), timedelta(hours=2, minutes=50)],
    }


def sample_badges() -> list[SlaBadge]:
    """Return one clock in each of its six states."""
    return [
        _running("Touch", left=170, allowed=240),
        _running("Accept", left=21, allowed=120),
        _running("Accept", left=-19, allowed=120),
        paused_badge(clock="Touch", resumes="Wed 09:00"),
        waiting_badge(clock="Qualify"),
        met_badge(clock="Touch", took=timedelta(minutes=42)),
    ]


def _running(clock: str, *, left: int, allowed: int) -> SlaBadge:
    running = Running(timedelta(minutes=left), timedelta(minutes=allowed), read_at=NOON)
    return running_badge(
        clock=clock, running=running, title=f"Due 12 May, 11:03 UTC, {allowed} min of working time"
    )


def sample_segments() -> list[ClockSegment]:
    """Return a split clock in which every kind of segment occurs."""
    lengths = [
        (SegmentKind.SYSTEM, 4, ""),
        (SegmentKind.UNASSIGNED, 14, ""),
        (SegmentKind.HOLDER_A, 50, "Tomas Orlind"),
        (SegmentKind.OUTSIDE, 58, ""),
        (SegmentKind.HOLDER_B, 32, "Karel Janda"),
        (SegmentKind.EXCUSED, 26, ""),
        (SegmentKind.HOLDER_B, 16, "Karel Janda"),
    ]
    start = NOON - timedelta(minutes=200)
    segments = []
    for kind, minutes, name in lengths:
        end = start + timedelta(minutes=minutes)
        segments.append(ClockSegment(kind, start, end, name))
        start = end
    return segments


def sample_rail() -> DayRail:
    """Return a working day with a break and due times in three states."""
    on_track = [
        _mark("ON_TRACK", 11, 20),
        _mark("ON_TRACK", 14, 16),
        _mark("ON_TRACK", 16, 37),
    ]
    return DayRail(
        windows=[(_at(9, 0), _at(12, 30)), (_at(13, 15), _at(18, 0))],
        now=NOON,
        marks=[
            _mark("BREACHED", 10, 23),
            _mark("BREACHED", 10, 36),
            _mark("AT_RISK", 11, 3),
            *on_track,
        ],
    )


def _at(hour: int, minute: int) -> datetime:
    return NOON.replace(hour=hour, minute=minute)


def _mark(state: str, hour: int, minute: int) -> RailMark:
    return RailMark(ClockState[state], _at(hour, minute), "timeline", f"Due {hour}:{minute:02d}")


def sample_acts() -> list[TimelineItem]:
    """Return one timeline item of each kind."""
    return [
        TimelineItem(
            at=_at(17, 12),
            kind="act",
            icon="download",
            title="Downloaded case study",
            detail="Also met: 2 different in 7 days",
            tag="BOFU",
            points="+25.0",
        ),
        TimelineItem(
            at=_at(9, 1),
            kind="stage",
            icon="target",
            title="Became MQL",
            detail="Cell B2 is in the definition, model v14",
        ),
        TimelineItem(
            at=_at(9, 3),
            kind="system",
            icon="git-commit-horizontal",
            title="Handed to Tomas Orlind",
            detail="Rule 4, DACH from 250 staff",
        ),
        TimelineItem(
            at=_at(8, 19),
            kind="machine",
            icon="bot",
            title="3 link clicks by a mail scanner",
            detail="Machine events, never scored",
            points="0",
        ),
    ]


def sample_chart() -> dict[str, Any]:
    """Return a line with an agreed threshold."""
    return {
        "kind": "line",
        "labels": ["1 May", "4 May", "5 May", "6 May", "7 May", "8 May", "11 May", "12 May"],
        "series": [
            {
                "name": "First touch on time",
                "values": [96.2, 95.1, 93.9, 94.2, 92.8, 93.0, 93.3, 93.4],
            }
        ],
        "threshold": {"value": 90, "label": "agreed 90"},
        "unit": "%",
        "min": 80,
        "max": 100,
    }
