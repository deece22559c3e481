"""Adding a tag to many leads, and taking one away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms

from crm.accounts.models import User
from leads.bulk.acts import DONE, UNCHANGED, BulkAct, BulkForm, Outcome, Said, refused
from leads.models import Lead
from leads.services.tags import LONGEST_TAG, MOST_TAGS, TagRefused, clean_tag, set_tags

ADD, REMOVE = "add", "remove"


class TagForm(BulkForm):
    """Which tag, and which way."""

    way = forms.ChoiceField(
        label="What to do",
        choices=[(ADD, "Add the tag"), (REMOVE, "Take the tag away")],
        initial=ADD,
        widget=forms.RadioSelect,
    )
    tag = forms.CharField(
        label="Tag",
        max_length=LONGEST_TAG,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )

    def clean_tag(self) -> str:
        """Return the tag as it is stored."""
        try:
            return clean_tag(self.cleaned_data["tag"])
        except TagRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


def tag_words(held: Said) -> str:
    """Return what is done, in words."""
    verb = "Add" if held["way"] == ADD else "Take away"
    return f"{verb} the tag “{held['tag']}”"


def tag_leads(
    leads: Sequence[Lead], said: Said, *, actor: User, now: datetime
) -> dict[int, Outcome]:
    """Put the tag on leads or take it away, in three statements however many there are."""
    outcomes = {lead.pk: _tag(lead, said) for lead in leads}
    set_tags(leads=[lead for lead in leads if outcomes[lead.pk] is DONE], actor=actor, now=now)
    return outcomes


def _tag(lead: Lead, said: Said) -> Outcome:
    """Change the tags of a lead in memory."""
    tag, is_wanted = said["tag"], said["way"] == ADD
    if (tag in lead.tags) is is_wanted:
        return UNCHANGED
    if is_wanted and len(lead.tags) >= MOST_TAGS:
        return refused(f"It has {MOST_TAGS} tags already.")
    lead.tags = [*lead.tags, tag] if is_wanted else [each for each in lead.tags if each != tag]
    return DONE


def untag_leads(
    leads: Sequence[tuple[Lead, Said]], said: Said, *, actor: User, now: datetime
) -> dict[int, Outcome]:
    """Do the opposite: other tags that came meanwhile stay."""
    opposite: dict[str, Any] = {**said, "way": REMOVE if said["way"] == ADD else ADD}
    return tag_leads([lead for lead, _ in leads], opposite, actor=actor, now=now)


TAGGING = BulkAct("tag", "Tag", 20, "tag", TagForm, tag_words, tag_leads, untag_leads, guards=())
