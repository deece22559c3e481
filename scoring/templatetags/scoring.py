"""Tags of the scoring editor."""

from __future__ import annotations

from typing import Any

from django import template

from scoring.editor.address import EditorAddress

register = template.Library()


@register.simple_tag
def at(address: EditorAddress, **changes: Any) -> EditorAddress:
    """Another state of the editor: ``{% at address section="group-1" open="new" as there %}``."""
    return address.at(**changes)
