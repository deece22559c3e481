"""States of a scoring model, of its back-tests and of trainings."""

from django.db.models import TextChoices


class ModelState(TextChoices):
    """A model version is a draft, then published, then retired."""

    DRAFT = "DRAFT", "Draft"
    PUBLISHED = "PUBLISHED", "Published"
    RETIRED = "RETIRED", "Retired"


class BackTestState(TextChoices):
    """A back-test waits for a worker, runs, and ends as done or failed."""

    WAITING = "WAITING", "Waiting"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Stopped"


class BackTestChange(TextChoices):
    """What a model makes of a cycle, seen from the model in force."""

    GAINED = "GAINED", "Newly an MQL"
    LOST = "LOST", "No longer an MQL"
    EARLIER = "EARLIER", "Earlier"
    LATER = "LATER", "Later"
    SAME = "SAME", "At the same time"
    NEITHER = "NEITHER", "An MQL under neither"


class ReviewVerdict(TextChoices):
    """What a marketer says of a disqualification by a rule."""

    RIGHT = "RIGHT", "Rightly out"
    BACK = "BACK", "Brought back"


class TrainingState(TextChoices):
    """Where the training of a predictive model stands."""

    WAITING = "WAITING", "Waiting"
    RUNNING = "RUNNING", "Training"
    TRAINED = "TRAINED", "Trained"
    FAILED = "FAILED", "Stopped"
