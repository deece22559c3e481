"""When each source sent last: the collector notes what it stored, absorbing what it took."""

from __future__ import annotations

#: Needs the names of sources and, in the same order, times. A source that another transaction notes
#: at this moment is left to that one: nobody waits for a row that every batch writes.
NOTE_RECEIVED = """
    UPDATE engagement_source source SET last_received_at = held.at
    FROM (
        SELECT known.id, latest.at FROM engagement_source known
        JOIN unnest(%s::text[], %s::timestamptz[]) AS latest (name, at) USING (name)
        WHERE known.last_received_at IS NULL OR known.last_received_at < latest.at
        ORDER BY known.id FOR NO KEY UPDATE OF known SKIP LOCKED
    ) AS held WHERE source.id = held.id
"""
