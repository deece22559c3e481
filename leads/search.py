"""Find leads by a part of their name, e-mail or company."""

from __future__ import annotations

import unicodedata

from django.db.models import Q

from crm.accounts.models import User
from leads.models import Lead, LeadQuerySet

SHORTEST = 2
LONGEST = 100
MOST_WORDS = 5


def search_words(text: str) -> list[str]:
    """Return the words to look for: lower case, without control characters, a bounded number.

    Nothing is returned when fewer than ``SHORTEST`` characters were typed.
    """
    printable = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text[:LONGEST])
    words = printable.lower().split()
    return words[:MOST_WORDS] if len("".join(words)) >= SHORTEST else []


def matching(words: list[str], *, viewer: User) -> LeadQuerySet:
    """Return the leads ``viewer`` may see that contain every one of ``words``.

    A word of one or two letters must begin a word of the lead: only that can be looked up in the
    trigram index.
    """
    found = Lead.objects.visible_to(viewer)
    for word in words:
        found = found.filter(_contains(word))
    return found


def _contains(word: str) -> Q:
    if len(word) > SHORTEST:
        return Q(search_text__contains=word)
    return Q(search_text__startswith=word) | Q(search_text__contains=f" {word}")
