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


class ImportKind(TextChoices):
    """What a file holds."""

    LEADS = "LEADS", "Leads"
    DEALS = "DEALS", "Deals"
    HANDOFFS = "HANDOFFS", "Handoffs of another tool"


class ImportState(TextChoices):
    """Where an import stands. A draft waits for its mapping."""

    DRAFT = "DRAFT", "Draft"
    QUEUED = "QUEUED", "Waiting"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Stopped"


class RowResult(TextChoices):
    """What became of one line; every line ends as exactly one of these."""

    NEW = "NEW", "New"
    UPDATED = "UPDATED", "Updated"
    UNCHANGED = "UNCHANGED", "Unchanged"
    DUPLICATE = "DUPLICATE", "Duplicate"
    REFUSED = "REFUSED", "Refused"


class BulkState(TextChoices):
    """Where work on many leads stands."""

    QUEUED = "QUEUED", "Waiting"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Stopped"


class BulkResult(TextChoices):
    """What became of one lead; every one ends as exactly one of these."""

    DONE = "DONE", "Done"
    UNCHANGED = "UNCHANGED", "Was so already"
    CHANGED = "CHANGED", "Changed meanwhile"
    REFUSED = "REFUSED", "Refused"


class ConsentPurpose(TextChoices):
    """What somebody may agree to; each stands for itself."""

    CONTACT = "CONTACT", "Contact"
    MARKETING = "MARKETING", "Marketing mail"


class ConsentChannel(TextChoices):
    """How somebody told us that they take a consent back."""

    PHONE = "PHONE", "By phone"
    EMAIL = "EMAIL", "By e-mail"
    IN_PERSON = "IN_PERSON", "In person"
    LETTER = "LETTER", "By letter"
    OTHER = "OTHER", "In another way"
