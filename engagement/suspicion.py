"""When a submission is taken for a machine's. Pure.

What is suspicious is kept and can be accepted later, so the limits may be strict. Our choice,
2026-11.
"""

from __future__ import annotations

from datetime import timedelta

from engagement.enums import RefusalReason

#: Nobody reads a form and fills it in faster.
SHORTEST = timedelta(seconds=2)
#: So many from one network address to one form within the window; an office is one address.
MOST_FROM_ONE = 10
WINDOW = timedelta(minutes=10)
#: A page left open for longer is made anew, with what was typed.
LONGEST = timedelta(hours=12)
#: Of one form; beyond that refused submissions are counted, not kept.
MOST_REFUSED_AN_HOUR = 500
HOUR = timedelta(hours=1)


def suspicion(*, trap: str, took: timedelta, recent: int) -> RefusalReason | None:
    """Say why a submission is not believed to come from a person; None when nothing speaks for it.

    Args:
        trap: what the field that people cannot see holds.
        took: from the making of the page to its sending.
        recent: how many the same address sent within ``WINDOW`` before.
    """
    if trap:
        return RefusalReason.TRAP
    if took < SHORTEST:
        return RefusalReason.TOO_FAST
    if recent >= MOST_FROM_ONE:
        return RefusalReason.TOO_MANY
    return None
