from __future__ import annotations

import pytest
from django import forms
from django.test.html import parse_html

from crm.common.ui.widgets import LongSelect

CHOICES = [("", "Please choose"), ("DE", "Germany"), ('"', "<b>Nowhere</b> & more"), (7, "Seven")]


class Form(forms.Form):
    quick = forms.ChoiceField(choices=CHOICES, widget=LongSelect(attrs={"class": "wide"}))
    known = forms.ChoiceField(choices=CHOICES, widget=forms.Select(attrs={"class": "wide"}))


@pytest.mark.parametrize("chosen", [None, "", "DE", '"', 7, "7", "FR"])
def test_a_long_select_is_the_one_that_django_writes(chosen: object) -> None:
    form = Form(initial={"quick": chosen, "known": chosen})

    quick, known = str(form["quick"]), str(form["known"]).replace("known", "quick")

    assert parse_html(quick) == parse_html(known)
    assert "<b>" not in quick


def test_a_field_that_is_required_and_wrong_says_so() -> None:
    form = Form({"quick": "FR", "known": "FR"})

    quick, known = str(form["quick"]), str(form["known"]).replace("known", "quick")

    assert parse_html(quick) == parse_html(known)
