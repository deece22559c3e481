"""What may be done to the event log and what feeds it, one file per subject."""

from engagement.services.partitions import ensure_partitions, keep_partitions

__all__ = ["ensure_partitions", "keep_partitions"]
