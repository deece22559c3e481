"""What the body of a request holds: messages that can be stored, and those that cannot. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from crm.common.instants import instant_problem
from engagement.json_reading import (
    LARGEST,
    LARGEST_BATCH,
    TOO_LARGE,
    Item,
    Unread,
    read_batch,
    read_item,
)
from engagement.messages import check_message, parse_time, read_id
from engagement.storable import Problem, Refused

#: What a batch says once for all its messages.
_SHARED = ("context", "integrations")
_ID = re.compile(r'"messageId"\s*:\s*"([\w.:-]{1,200})"', re.ASCII)


class Taken(NamedTuple):
    """A message that can be stored: its place in the batch, its id and its JSON in UTF-8."""

    place: int
    id: str
    raw: bytes
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A message that is refused: its place in the batch, its id when it has one, and why."""

    index: int
    id: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Payload:
    """The messages of one request, and the key found among them ("" when there is none)."""

    write_key: str = ""
    taken: list[Taken] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Return the number of messages, stored and refused."""
        return len(self.taken) + len(self.faults)


def read_payload(raw: bytes, *, type_: str) -> Payload | Problem:
    """Return what ``raw`` holds, or why all of it is refused.

    Args:
        raw: the body of a request, unpacked.
        type_: what the path says: a type of message, or ``batch``.
    """
    try:
        if type_ == "batch":
            return _read_batch(raw)
        return _read_single(raw, type_)
    except Refused as refused:
        return refused.problem


def _read_single(raw: bytes, type_: str) -> Payload | Problem:
    item = read_item(raw)
    if isinstance(item, Problem):
        return item
    taken = _take(0, _with(item, type=type_), None)
    if isinstance(taken, Fault):
        return taken.problem
    return Payload(_key(item.value), [taken])


def _read_batch(raw: bytes) -> Payload | Problem:
    batch = read_batch(raw)
    if isinstance(batch, Problem):
        return batch
    shared = {name: _object(batch.envelope, name) for name in _SHARED if batch.envelope.get(name)}
    sent_at = _time(batch.envelope, "sentAt")
    if shared:
        _check_size(shared, times=len(batch.items))
    payload = Payload(_key(batch.envelope) or _first_key(batch.items))
    for index, item in enumerate(batch.items):
        if isinstance(item, Unread):
            payload.faults.append(Fault(index, _id_in(item.text), item.problem))
            continue
        taken = _take(index, _merged(item, shared) if shared else item, sent_at)
        if isinstance(taken, Taken):
            payload.taken.append(taken)
        else:
            payload.faults.append(taken)
    return payload


def _take(index: int, item: Item, sent_at: datetime | None) -> Taken | Fault:
    name = ""
    try:
        name = read_id(item.value, "messageId")
        if len(item.raw) > LARGEST:
            return Fault(index, name, TOO_LARGE)
        if told := check_message(item.value):
            _check_range(told, "timestamp")
        if "sentAt" in item.value:
            sent_at = _time(item.value, "sentAt") or sent_at
    except Refused as refused:
        return Fault(index, name, refused.problem)
    return Taken(index, name or uuid4().hex, item.raw, sent_at)


def _time(holder: Mapping[str, Any], name: str) -> datetime | None:
    """Return a time that the database can keep."""
    moment = parse_time(holder.get(name), name)
    if moment is None:
        return None
    _check_range(moment, name)
    return moment.astimezone(UTC)


def _check_range(moment: datetime, name: str) -> None:
    if problem := instant_problem(moment):
        raise Refused("time_out_of_range", name, f"is out of range. {problem}")


def _check_size(shared: Mapping[str, dict[str, Any]], *, times: int) -> None:
    """Raise when what is said once would become too much by being stored with each message."""
    if len(orjson.dumps(shared)) * times > LARGEST_BATCH:
        raise Refused("too_large", "context", "is too long to be stored with so many messages")


def _merged(item: Item, shared: Mapping[str, dict[str, Any]]) -> Item:
    """Add what the batch says for all; what a message says itself goes first."""
    own = {name: _object(item.value, name) for name in shared}
    return _with(item, **{name: shared[name] | own[name] for name in shared})


def _with(item: Item, **values: object) -> Item:
    """Return a message with these values, in its own text unless that has to change."""
    if all(item.value.get(name) == value for name, value in values.items()):
        return item
    changed = item.value | values
    return Item(changed, orjson.dumps(changed))


def _object(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused("not_an_object", name, "is not a JSON object")
    return value


def _id_in(text: str) -> str:
    """Return the id of a message that cannot be read, if it looks like one."""
    found = _ID.search(text)
    return found.group(1) if found else ""


def _first_key(items: list[Item | Unread]) -> str:
    return next((key for each in items if isinstance(each, Item) and (key := _key(each.value))), "")


def _key(holder: Mapping[str, Any]) -> str:
    value = holder.get("writeKey")
    return value if isinstance(value, str) else ""
