"""JSON that a person typed into a field."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

#: Levels of brackets. Our choice: criteria and calendars need five; hundreds exhaust the stack.
MOST_LEVELS = 32

_NO_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[^][}{]')
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}


class ShallowDecoder(json.JSONDecoder):
    """Reads JSON of up to ``MOST_LEVELS`` levels; deeper is as little readable as no JSON."""

    def decode(self, s: str, *args: Any) -> Any:
        """Return what ``s`` says.

        Raises:
            JSONDecodeError: it is no JSON, or too deep.
        """
        brackets = _NO_BRACKET.sub("", s)
        if max(accumulate(_STEP[each] for each in brackets), default=0) > MOST_LEVELS:
            raise json.JSONDecodeError(f"More than {MOST_LEVELS} levels", s, 0)
        return super().decode(s, *args)
