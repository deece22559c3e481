"""Find leads by a part of their name, e-mail, company or phone number."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from django.db.models import Q
from django.db.models.lookups import Contains

from crm.accounts.models import User
from crm.common.criteria import Op, ValueInvalid
from leads.models import Lead, LeadQuerySet, digits_of_phone

SHORTEST = 2
LONGEST = 100
MOST_WORDS = 5
#: Fewer digits are in very many numbers. Our choice.
FEWEST_DIGITS = 4
_NUMBER = re.compile(r"[\d\s()+./-]+")


def search_words(text: str) -> list[str]:
    """Return the words to look for: lower case, without control characters, a bounded number.

    Nothing is returned when fewer than ``SHORTEST`` characters were typed.
    """
    printable = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text[:LONGEST])
    words = printable.lower().split()
    return words[:MOST_WORDS] if len("".join(words)) >= SHORTEST else []


def matching(words: list[str], *, viewer: User) -> LeadQuerySet:
    """Return the leads ``viewer`` may see that contain every one of ``words``."""
    return Lead.objects.visible_to(viewer).filter(search_q(words))


def search_q(words: list[str]) -> Q:
    """Return the filter of leads that contain every one of ``words``, or the number they spell.

    A word of one or two letters must begin a word of the lead: only that can be looked up in the
    trigram index.
    """
    asked = Q()
    for word in words:
        asked &= _contains(word)
    digits = _digits(" ".join(words))
    return asked | Q(Contains(digits_of_phone(), digits)) if digits else asked


def ask_for_words(op: Op, value: str, now: datetime) -> Q:
    """Return the filter for what was typed, as a field of criteria asks for it."""
    del op, now
    return search_q(search_words(value))


def read_words(raw: str) -> str:
    """Return a text that can be searched for.

    Raises:
        ValueInvalid: it is too short.
    """
    if not search_words(raw):
        raise ValueInvalid(f"needs at least {SHORTEST} characters")
    return raw


def _digits(typed: str) -> str:
    """Return the digits of a phone number as numbers are stored; empty when it is none.

    What stands before a number within a country (0) or before that of the country (00) is left out:
    most numbers are stored with their country before them.
    """
    if not _NUMBER.fullmatch(typed):
        return ""
    digits = re.sub(r"\D", "", typed.replace("(0)", ""))
    digits = digits.removeprefix("0").removeprefix("0")
    return digits if len(digits) >= FEWEST_DIGITS else ""


def _contains(word: str) -> Q:
    if len(word) > SHORTEST:
        return Q(search_text__contains=word)
    return Q(search_text__startswith=word) | Q(search_text__contains=f" {word}")
