"""States shared by the mechanisms of ``crm.common``."""

from django.db.models import TextChoices


class OutboxState(TextChoices):
    """Where a message to the outside stands."""

    PENDING = "PENDING", "Pending"
    SENT = "SENT", "Sent"
    UNCERTAIN = "UNCERTAIN", "Uncertain"
    SUPERSEDED = "SUPERSEDED", "Overtaken"
    DEAD = "DEAD", "Gave up"
