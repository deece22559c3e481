"""What the collector answers: 200 with ``{"success": true}``, or a code and a sentence. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from engagement.collector.payloads import Fault
from engagement.storable import Problem

Headers = list[tuple[bytes, bytes]]

#: Seconds after which a client may try again what cannot be kept now; our choice.
RETRY_AFTER = 2
#: Refused messages that one answer describes; the others are only counted.
_MOST_DESCRIBED = 20
_STATUS_OF = {"too_large": 413}

_CORS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
_JSON: Headers = [
    *_CORS,
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status, headers (with the length of the body) and body."""

    status: int
    headers: Headers
    body: bytes = b""


class Declined(Exception):
    """A request is answered with an error: ``answer`` says the ``code``.

    ``source`` is the name of who sent it, "" while nobody knows.
    """

    def __init__(self, answer: Answer, code: str, source: str) -> None:
        """Wrap the answer."""
        super().__init__(code)
        self.answer = answer
        self.code = code
        self.source = source


def as_json(status: int, content: dict[str, Any], *more: tuple[bytes, bytes]) -> Answer:
    """Return an answer that every site may read."""
    body = json.dumps(content).encode()
    return Answer(status, [*_JSON, (b"content-length", str(len(body)).encode()), *more], body)


def declined(
    status: int, code: str, message: str, *, retry_after: int | None = None, source: str = ""
) -> Declined:
    """Return an error to raise; with ``retry_after`` seconds when trying again may help."""
    more = [] if retry_after is None else [(b"retry-after", str(retry_after).encode())]
    return Declined(as_json(status, {"code": code, "message": message}, *more), code, source)


def declined_for(problem: Problem) -> Declined:
    """Return the error for a body that is refused as a whole."""
    return declined(_STATUS_OF.get(problem.code, 400), problem.code, _sentence(problem))


def some_refused(faults: list[Fault], *, of: int) -> Answer:
    """Return the answer for a batch of ``of`` messages, of which the others are stored.

    400, which no client sends again: what is refused now is refused for ever.
    """
    words = [f"batch[{each.index}] {_sentence(each.problem)}" for each in faults[:_MOST_DESCRIBED]]
    stored = of - len(faults)
    count = f"{len(faults)} refused, {stored} stored: "
    described = [
        {
            "index": each.index,
            "messageId": each.id,
            "code": each.problem.code,
            "message": _sentence(each.problem),
        }
        for each in faults[:_MOST_DESCRIBED]
    ]
    content = {"code": "messages_refused", "message": count + "; ".join(words)}
    return as_json(400, {**content, "stored": stored, "refused": described})


def _sentence(problem: Problem) -> str:
    return f"{problem.field or 'the message'} {problem.reason}"


SUCCESS = as_json(200, {"success": True})
PREFLIGHT = Answer(
    204,
    [
        *_CORS,
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (
            b"access-control-allow-headers",
            b"authorization, content-type, content-encoding, x-retry-count",
        ),
        (b"access-control-max-age", b"86400"),
        (b"content-length", b"0"),
    ],
)
