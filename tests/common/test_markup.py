from __future__ import annotations

from django.utils.safestring import SafeString, mark_safe

from crm.common.ui.markup import markup


def test_values_are_escaped_but_for_what_is_safe() -> None:
    made = markup('<i title="{}">{}{}</i>', "\"'<&>", 7, mark_safe("<b>B</b>"))

    assert made == '<i title="&quot;&#x27;&lt;&amp;&gt;">7<b>B</b></i>'
    assert isinstance(made, SafeString)


def test_braces_in_a_value_are_text() -> None:
    assert markup("<i>{}</i>", "{0} {name}") == "<i>{0} {name}</i>"
