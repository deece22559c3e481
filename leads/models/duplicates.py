"""Names whose leads are to be compared anew."""

from __future__ import annotations

from django.db import models


class DuplicateCheck(models.Model):
    """A full name that a lead has taken on or given up: who has it may be twice there, or no more.

    Triggers write it in the transaction of the change, whoever makes that; ``mark_duplicates``
    compares the leads of that name and removes it.
    """

    last_name = models.CharField(max_length=100)
    first_name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"
