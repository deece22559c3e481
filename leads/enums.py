"""Stages, deal outcomes and reasons of the lifecycle."""

from django.db.models import TextChoices


class LifecycleStage(TextChoices):
    """Where a lead stands. SAL is a sales accepted lead."""

    LEAD = "LEAD", "Lead"
    MQL = "MQL", "MQL"
    SAL = "SAL", "Accepted"
    SQL = "SQL", "SQL"
    WON = "WON", "Won"
    LOST = "LOST", "Lost"
    RECYCLED = "RECYCLED", "Recycled"
    DISQUALIFIED = "DISQUALIFIED", "Disqualified"


class DealOutcome(TextChoices):
    """How a deal ended."""

    WON = "WON", "Won"
    LOST = "LOST", "Lost"


class AttributeType(TextChoices):
    """What a declared custom attribute holds."""

    TEXT = "TEXT", "Text"
    NUMBER = "NUMBER", "Number"
    BOOLEAN = "BOOLEAN", "Yes or no"
    DATE = "DATE", "Date"
    CHOICE = "CHOICE", "One of a list"
