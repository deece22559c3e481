"""What a person says who confirms, detaches or restores an identification."""

from __future__ import annotations

from django import forms

from crm.accounts.forms import PlainForm
from engagement.services.links import LONGEST_WORDS


class LinkActForm(PlainForm):
    """Why: it stands on the timeline of the lead."""

    words = forms.CharField(
        label="Why", max_length=LONGEST_WORDS, help_text="Stands on the timeline, with your name."
    )
