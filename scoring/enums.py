"""States of a scoring model."""

from django.db.models import TextChoices


class ModelState(TextChoices):
    """A model version is a draft, then published, then retired."""

    DRAFT = "DRAFT", "Draft"
    PUBLISHED = "PUBLISHED", "Published"
    RETIRED = "RETIRED", "Retired"
