"""What somebody read before they changed it: it travels with the form, signed and compressed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core import signing

from scoring.editor.address import NEW, SETTINGS, TERMS, EditorAddress
from scoring.editor.document import (
    Document,
    Section,
    owner_of,
    rules_of,
    section_named,
    sections,
    whole,
)

_SALT = "scoring.editor.read"


def read_token(document: Any) -> str:
    """Return a document as it travels with a form."""
    return signing.dumps(document, salt=_SALT, compress=True)


def read_document(token: str) -> Document | None:
    """Return the document that a form was made from; None of a damaged one."""
    try:
        return whole(signing.loads(token, salt=_SALT))
    except signing.BadSignature:
        return None


def moved(address: EditorAddress, before: Document | None, after: Document) -> EditorAddress:
    """Return where a form belongs in a document that somebody else changed.

    A group, a persona or a rule is followed by its name. What is gone is made anew when the form is
    saved again.
    """
    if before is None or address.open == TERMS:
        return address
    section = section_named(before, address.section) or next(sections(before))
    found = _same_section(section, before, after)
    if found is None:
        alike = next((each for each in sections(after) if each.kind is section.kind), None)
        return replace(address, section=alike.key, open=NEW) if alike else address.closed
    address = replace(address, section=found.key)
    if address.open in (NEW, SETTINGS):
        return address
    return replace(address, open=_same_rule(address, section, before, found, after))


def _same_section(section: Section, before: Document, after: Document) -> Section | None:
    name = owner_of(before, section).get("name")
    return next(
        (
            each
            for each in sections(after)
            if each.kind is section.kind and owner_of(after, each).get("name") == name
        ),
        None,
    )


def _same_rule(
    address: EditorAddress, section: Section, before: Document, found: Section, after: Document
) -> str:
    """Return the place of the rule of that name, ``NEW`` when it is gone."""
    place, rules = address.place, rules_of(before, section)
    name = _name(rules[place]) if place is not None and place < len(rules) else None
    places = [i for i, rule in enumerate(rules_of(after, found)) if _name(rule) == name]
    return str(places[0]) if places else NEW


def _name(rule: Document) -> Any:
    return rule.get("label") or rule.get("reason") or rule.get("kind")
