"""The process: settings in, one application out, from start to a shutdown that loses nothing.

``granian --interface=asgi engagement.collector.process:application``.
"""

from __future__ import annotations

import asyncio
import gc
import logging.config
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

from engagement.collector.admission import Admission
from engagement.collector.app import Collector, Scope, Send
from engagement.collector.bodies import Receive, Room
from engagement.collector.group_commit import GroupCommit
from engagement.collector.inbox import Inbox
from engagement.collector.script import Script
from engagement.collector.senders import networks
from engagement.collector.sources import KnownSources
from engagement.collector.spool import Spool
from engagement.collector.upkeep import Upkeep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
logging.config.dictConfig(settings.LOGGING)

#: Containers that are made and not freed before garbage is looked for: more than all requests at
#: one time hold, else each batch is searched, in vain. Our choice.
_GARBAGE = 50_000


@asynccontextmanager
async def running_collector() -> AsyncIterator[Collector]:
    """Run all that belongs to a collector while the block runs; what it accepted is then kept."""
    spool = Spool(settings.COLLECTOR_SPOOL, limit=settings.COLLECTOR_SPOOL_BYTES)
    sources = KnownSources(settings.COLLECTOR_SPOOL / "sources.json")
    sources.recall()
    inbox = Inbox(settings.DATABASES["default"])
    commit = GroupCommit(inbox, spool)
    upkeep = Upkeep(inbox=inbox, spool=spool, commit=commit, sources=sources)
    script = settings.BASE_DIR / "static" / "js" / "baton.js"
    await inbox.open()
    writing, keeping_up = asyncio.create_task(commit.run()), asyncio.create_task(upkeep.run())
    try:
        yield Collector(
            public_url=settings.COLLECTOR_URL,
            proxies=networks(settings.COLLECTOR_PROXIES),
            room=Room(most=settings.COLLECTOR_BYTES_IN_FLIGHT),
            admission=Admission(upkeep),
            commit=commit,
            upkeep=upkeep,
            script=Script(script) if script.exists() else None,
        )
    finally:
        keeping_up.cancel()
        commit.end()
        await writing
        spool.close()
        await inbox.close()


class Process:
    """The ASGI application with its life."""

    def __init__(self) -> None:
        self._collector: Collector | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Live, or answer a request meanwhile."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._collector:
            await self._collector(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with running_collector() as self._collector:
            gc.collect()
            gc.set_threshold(_GARBAGE)
            gc.freeze()  # what is loaded by now stays for good; nobody needs to look through it
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


application = Process()
