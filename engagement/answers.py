"""What was said in forms, in words for colleagues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engagement.models import Submission
from engagement.questions import ATTRIBUTE, EMAIL
from leads.countries import country_name
from leads.forms import LeadForm
from leads.models import LeadAttribute


def catalogue() -> dict[str, str]:
    """Return what a form can ask for or set: the names of questions with their labels."""
    columns = {name: str(field.label or name) for name, field in LeadForm.base_fields.items()}
    columns = {name: label.replace("_", " ").capitalize() for name, label in columns.items()}
    attributes = LeadAttribute.objects.order_by("label", "id").values_list("name", "label")
    return columns | {ATTRIBUTE + name: label for name, label in attributes}


def answers_of(submission: Submission) -> dict[str, Any]:
    """Return the answers by the names of questions."""
    attributes = submission.answers.get("attributes", {})
    columns = {name: said for name, said in submission.answers.items() if name != "attributes"}
    return {**columns, **{ATTRIBUTE + name: said for name, said in attributes.items()}}


def answers_in_words(submission: Submission, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the labels and answers beside the address; what was left blank is left out."""
    answers = answers_of(submission)
    names = [*labels, *sorted(answers.keys() - labels.keys())]
    said = [name for name in names if name != EMAIL and answers.get(name) not in ("", None)]
    return [(labels.get(name, name), words(name, answers[name])) for name in said]


def words(name: str, said: Any) -> str:
    """Return one answer as a person reads it."""
    if isinstance(said, bool):
        return "Yes" if said else "No"
    return country_name(said) if name == "country" else str(said)
