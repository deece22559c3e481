"""Addresses that are found once a process are those that Django finds each time."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.template import Context, Template
from django.template.defaulttags import URLNode
from django.test import override_settings
from django.urls import NoReverseMatch, path, reverse

from crm.common.addresses import page_of
from crm.common.templatetags.addresses import AddressNode

#: A site of one page, whose path ends with digits.
urlpatterns = [path("rows/<int:pk>/of-90-days/", lambda request, pk: HttpResponse(), name="rows90")]


def drawn(tag: str, *, as_django: bool, **values: Any) -> str:
    template = Template(tag)
    nodes = template.nodelist.get_nodes_by_type(AddressNode)
    assert nodes, "the builtin of our templates"
    for node in nodes if as_django else []:
        node.__class__ = URLNode
    return template.render(Context(values))


@pytest.mark.parametrize(
    "tag",
    [
        "{% url 'leads:list' %}",
        "{% url 'leads:detail' lead %}?a=1",
        "{% url 'leads:detail' 0 %} {% url 'leads:detail' 10 %}",
        "{% url 'leads:fact' lead name %}",
        "{% url 'leads:detail' lead_id=lead %}",
        "{% url name_of_view lead %}",
        "{% url 'engagement:asset' name %}",
        "{% url 'engagement:asset' '7' %}",
        "{% url 'leads:detail' lead as there %}<{{ there }}>",
        "{% url 'leads:detail' name as there %}<{{ there }}>",
        "{% url 'leads:nowhere' as there %}<{{ there }}>",
        "{% autoescape off %}{% url 'leads:detail' lead %}{% endautoescape %}",
    ],
)
def test_an_address_is_that_of_django(tag: str) -> None:
    for lead in (1, 1, 70, 2**40):
        values: Any = {"lead": lead, "name": "city", "name_of_view": "leads:stage"}
        assert drawn(tag, as_django=False, **values) == drawn(tag, as_django=True, **values)


@pytest.mark.parametrize(
    "tag",
    ["{% url 'leads:nowhere' %}", "{% url 'leads:list' 7 %}", "{% url 'leads:detail' gone %}"],
)
def test_an_address_that_is_none_is_told_as_django_tells_it(tag: str) -> None:
    said = []
    for as_django in (False, True):
        with pytest.raises(NoReverseMatch) as problem:
            drawn(tag, as_django=as_django)
        said.append(str(problem.value))

    assert said[0] == said[1]


@override_settings(ROOT_URLCONF=__name__)
def test_the_id_in_an_address_is_told_from_other_digits() -> None:
    assert page_of("rows90", 9) == reverse("rows90", args=[9]) == "/rows/9/of-90-days/"
