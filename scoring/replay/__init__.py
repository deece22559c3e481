"""Replaying models over the log: when would each lead have become an MQL, and by what?"""

from scoring.replay.log import Span, Trip
from scoring.replay.run import Verdict, replay

__all__ = ["Span", "Trip", "Verdict", "replay"]
