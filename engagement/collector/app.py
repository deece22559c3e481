"""The ASGI application: which path means what, and the way of a request from key to commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from engagement.collector.admission import Admission
from engagement.collector.answers import (
    PREFLIGHT,
    RETRY_AFTER,
    SUCCESS,
    Answer,
    Declined,
    as_json,
    declined,
    declined_for,
    some_refused,
)
from engagement.collector.bodies import Gone, Receive, Room, read_body, size_of
from engagement.collector.group_commit import GroupCommit, NotKept
from engagement.collector.payloads import Fault, Payload, read_payload
from engagement.collector.rows import rows_of
from engagement.collector.script import Script
from engagement.collector.senders import Networks, address_of, circumstances, key_in
from engagement.collector.sources import KnownSource
from engagement.collector.upkeep import Upkeep
from engagement.json_reading import LARGEST, LARGEST_BATCH
from engagement.messages import TYPES
from engagement.storable import Problem

Headers = Mapping[bytes, bytes]
Scope = Mapping[str, Any]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

#: The type of message behind each path, which ends in its name or in the first letter of that.
TYPE_OF = {f"/v1/{path}": name for name in (*TYPES, "batch") for path in (name, name[0])}
_METRICS = "/v1/m"
_PROJECTS, _SETTINGS = "/v1/projects/", "/settings"
_UNSTORABLE = Problem("unstorable", "", "is refused by the database")


@dataclass(frozen=True, slots=True)
class Collector:
    """The application, made of its parts."""

    public_url: str
    proxies: Networks
    room: Room
    admission: Admission
    commit: GroupCommit
    upkeep: Upkeep
    script: Script | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except Declined as error:
            answer = error.answer
        except Gone:
            return
        start = {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        method, path = scope["method"], scope["path"]
        headers = dict(scope["headers"])
        if method == "POST":
            if type_ := TYPE_OF.get(path):
                return await self._take_or_count(type_, headers, scope["client"], receive)
            if path == _METRICS:
                with self.room.reserved(size_of(headers, largest=LARGEST_BATCH)):
                    await read_body(receive, headers, largest=LARGEST_BATCH)
                return SUCCESS
        if method == "OPTIONS":
            return PREFLIGHT
        if method in {"GET", "HEAD"}:
            return await self._show(path, headers, with_body=method == "GET")
        raise _not_found()

    async def _take_or_count(
        self, type_: str, headers: Headers, client: tuple[str, int] | None, receive: Receive
    ) -> Answer:
        try:
            return await self._take(type_, headers, client, receive)
        except Declined as error:
            key = key_in(headers.get(b"authorization", b""))
            self.upkeep.refuse(error.code, source=error.source or self.upkeep.name_of(key))
            raise

    async def _take(
        self, type_: str, headers: Headers, client: tuple[str, int] | None, receive: Receive
    ) -> Answer:
        """Store the messages of a request, and say so only then."""
        received_at = datetime.now(UTC)
        forwarded = headers.get(b"x-forwarded-for", b"")
        address = address_of(client[0] if client else "", forwarded, self.proxies)
        origin = headers.get(b"origin", b"").decode("latin-1")
        key = key_in(headers.get(b"authorization", b""))
        largest = LARGEST_BATCH if type_ == "batch" else LARGEST
        with self.room.reserved(size_of(headers, largest=largest)):
            raw = await read_body(receive, headers, largest=largest)
            if key:  # then nothing is read for strangers
                admitted = await self.admission.admit(key, origin=origin, address=address)
            payload = read_payload(raw, type_=type_)
            if isinstance(payload, Problem):
                raise declined_for(payload)
            if not key:
                key = payload.write_key
                admitted = await self.admission.admit(key, origin=origin, address=address)
            admitted.charge(max(0, payload.size - 1))
            meta = circumstances(address, headers)
            return await self._keep(payload, admitted.source, received_at, meta)

    async def _keep(
        self, payload: Payload, source: KnownSource, received_at: datetime, meta: str
    ) -> Answer:
        faults = payload.faults
        if payload.taken:
            rows = rows_of(payload.taken, source=source.name, received_at=received_at, meta=meta)
            lost = [payload.taken[place] for place in await self._commit(rows)]
            faults = faults + [Fault(each.place, each.id, _UNSTORABLE) for each in lost]
            self.upkeep.hear(source, received_at)
        if not faults:
            return SUCCESS
        for fault in faults:
            self.upkeep.refuse(fault.problem.code, source=source.name)
        return some_refused(faults, of=payload.size)

    async def _commit(self, rows: list[bytes]) -> list[int]:
        try:
            return await self.commit.keep(rows)
        except NotKept:
            raise _unavailable() from None

    async def _show(self, path: str, headers: Headers, *, with_body: bool) -> Answer:
        if path == "/baton.js" and self.script:
            return self.script.answer(headers, with_body=with_body)
        if path == "/health":
            return self._health()
        if path.startswith(_PROJECTS) and path.endswith(_SETTINGS):
            return await self._settings(path[len(_PROJECTS) : -len(_SETTINGS)], headers)
        raise _not_found()

    def _health(self) -> Answer:
        if self.commit.is_refusing:
            raise _unavailable()
        return as_json(200, {"status": "spooling" if self.commit.is_away else "ok"})

    async def _settings(self, key: str, headers: Headers) -> Answer:
        """Tell a browser client with which key to send, and where to."""
        origin = headers.get(b"origin", b"").decode("latin-1")
        await self.admission.identify(key, origin=origin)
        url = urlsplit(self.public_url)
        integration = {
            "apiKey": key,
            "apiHost": f"{url.netloc}{url.path}/v1",
            "protocol": url.scheme,
        }
        return as_json(200, {"integrations": {"Segment.io": integration}})


def _not_found() -> Declined:
    return declined(404, "not_found", "The collector has nothing under this method and path.")


def _unavailable() -> Declined:
    text = "Messages cannot be kept now."
    return declined(503, "unavailable", text, retry_after=RETRY_AFTER)
