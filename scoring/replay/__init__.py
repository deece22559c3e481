"""Replaying models over the log: when would each lead have become an MQL, and by what?"""

from scoring.replay.log import Cycle, Span
from scoring.replay.run import Verdict, replay

__all__ = ["Cycle", "Span", "Verdict", "replay"]
