"""What a running, paused or finished clock shows. Pure: no ORM, no clock, no settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crm.common.ui.words import working_time

#: A clock with this share of its working time left, or less, is at risk. Our choice.
AT_RISK_SHARE = 0.25


class ClockState(StrEnum):
    """The six faces of a clock; the value is its class in the style sheet."""

    ON_TRACK = "on-track"
    AT_RISK = "at-risk"
    BREACHED = "breached"
    PAUSED = "paused"
    WAITING = "waiting"
    MET = "met"


@dataclass(frozen=True, slots=True)
class Running:
    """What the browser needs to keep a running clock right without asking again.

    Attributes:
        left: Working time left at ``read_at``; negative when over.
        allowed: Working time the clock started with.
        read_at: Server time at which ``left`` was true.
        closes_at: End of the working window around ``read_at``, from which the clock stands still;
            None when it does not close.
        is_over: It is past due. ``left`` does not tell of a clock that fell due at closing time: it
            stays at zero until the next opening.
    """

    left: timedelta
    allowed: timedelta
    read_at: datetime
    closes_at: datetime | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class SlaBadge:
    """One clock as shown in lists, the queue and page headers.

    Attributes:
        state: Decides shape and colour.
        clock: Name of the clock, such as ``Accept``.
        text: What it says: ``21 min left``, ``19 min over``, ``Wed 09:00``, ``met, 42 min``.
        share_left: Working time left as a share of the allowed time, 0 to 1.
        title: Exact deadline, zone and arithmetic in one sentence, for hover and focus.
        running: Set while the clock runs.
    """

    state: ClockState
    clock: str
    text: str
    share_left: float = 0.0
    title: str = ""
    running: Running | None = None

    @property
    def figure(self) -> str:
        """The text without its last word when that is ``left`` or ``over``."""
        return self.text[: -len(self.word)].rstrip() if self.word else self.text

    @property
    def word(self) -> str:
        """``left`` or ``over`` for a running clock, else nothing."""
        last = self.text.rpartition(" ")[2]
        return last if last in {"left", "over"} else ""


def running_badge(*, clock: str, running: Running, title: str = "") -> SlaBadge:
    """Show a clock that runs: on track, at risk at a quarter or less left, breached once over.

    Raises:
        ValueError: ``running.allowed`` is not positive.
    """
    if running.allowed <= timedelta(0):
        raise ValueError("allowed must be positive")
    share = running.left / running.allowed
    if running.is_over or running.left < timedelta(0):
        state, word = ClockState.BREACHED, "over"
    else:
        state, word = ClockState.ON_TRACK if share > AT_RISK_SHARE else ClockState.AT_RISK, "left"
    return SlaBadge(
        state=state,
        clock=clock,
        text=f"{working_time(running.left)} {word}",
        share_left=min(max(share, 0.0), 1.0),
        title=title,
        running=running,
    )


def paused_badge(*, clock: str, resumes: str, title: str = "") -> SlaBadge:
    """Show a clock outside working hours; ``resumes`` says when it starts, as ``Wed 09:00``."""
    return SlaBadge(ClockState.PAUSED, clock, resumes, title=title)


def waiting_badge(*, clock: str, text: str = "waits on buyer", title: str = "") -> SlaBadge:
    """Show a clock that is stopped because the buyer has the next move."""
    return SlaBadge(ClockState.WAITING, clock, text, title=title)


def met_badge(*, clock: str, took: timedelta, title: str = "") -> SlaBadge:
    """Show a clock that was stopped by evidence after ``took`` of working time."""
    return SlaBadge(ClockState.MET, clock, f"met, {working_time(took)}", title=title)
