"""The composition root: settings, URLs, Celery, and the floors below and above the product apps."""
