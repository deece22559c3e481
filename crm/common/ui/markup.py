"""Writing small pieces of HTML, of which a page has hundreds."""

from __future__ import annotations

from html import escape

from django.utils.safestring import SafeString


def markup(template: str, *values: object) -> SafeString:
    """Return ``template`` with each ``{}`` replaced by a value, escaped unless it is safe already.

    Does what ``format_html`` does, a third as long: it looks for no lazy translations.
    """
    return SafeString(template.format(*map(_escaped, values)))


def _escaped(value: object) -> str:
    return value if isinstance(value, SafeString) else escape(str(value))
