"""``{% url %}``, a builtin of all templates: as Django's, but paths are found once a process.

A page holds dozens of them, and to look for a path takes longer than most of what is around it.
"""

from __future__ import annotations

from django import template
from django.template.base import Parser, Token
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as read
from django.urls import NoReverseMatch
from django.utils.html import conditional_escape

from crm.common.addresses import page, page_of

register = template.Library()


class AddressNode(URLNode):
    """An address; one that is about anything else than one row is left to Django."""

    def render(self, context: Context) -> str:
        """Return the address, or keep it under the name that is given."""
        args = [arg.resolve(context) for arg in self.args]
        if self.kwargs or len(args) > 1 or any(type(arg) is not int for arg in args):
            return super().render(context)
        view = self.view_name.resolve(context)
        try:
            found = page_of(view, args[0]) if args else page(view)
        except NoReverseMatch:
            return super().render(context)  # which says what is wrong
        if self.asvar:
            context[self.asvar] = found
            return ""
        return conditional_escape(found) if context.autoescape else found


@register.tag
def url(parser: Parser, token: Token) -> AddressNode:
    """Read the tag as Django does."""
    node = read(parser, token)
    return AddressNode(node.view_name, node.args, node.kwargs, node.asvar)
