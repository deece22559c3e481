"""The editor of all conditions of a list: all of, any of, none of, with how many leads fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.http import QueryDict

from crm.accounts.models import User
from crm.common.criteria import CriteriaInvalid, compile_q, parse, sentence
from crm.common.paging import Count, count_at_once
from leads.criteria_form import CriteriaForm, closed, opened, read_criteria
from leads.list_address import ListAddress
from leads.models import Lead

#: Parts that are counted one by one while the tree is edited; each costs what a page may wait.
MOST_COUNTED = 6


@dataclass(frozen=True)
class Fitting:
    """How many leads fit one part, or the whole."""

    words: str
    count: Count


@dataclass(frozen=True)
class ConditionsEditor:
    """What the panel shows: the list as it would be, the form of its tree, and what fits."""

    address: ListAddress
    form: CriteriaForm
    whole: Fitting | None
    parts: list[Fitting]


def read_conditions(
    params: QueryDict, address: ListAddress, *, viewer: User, now: datetime
) -> ConditionsEditor:
    """Return the editor as it is after what its button asks for."""
    tree = address.criteria.tree
    form = read_criteria(params, before=tree) if "criteria" in params else CriteriaForm(tree)
    try:
        edited = replace(address, criteria=parse(form.tree))
    except CriteriaInvalid:  # a part of the tree is shown as one that cannot be read
        return ConditionsEditor(address, form, None, [])
    whole = Fitting("", count_at_once(edited.leads(viewer=viewer, now=now)))
    return ConditionsEditor(edited, form, whole, _parts(form, viewer, now))


def _parts(form: CriteriaForm, viewer: User, now: datetime) -> list[Fitting]:
    """Return how many leads fit each part alone; of a single one the whole says it."""
    trees = [closed(part) for part in opened(form.tree).parts]
    if not trees[1:]:
        return []
    asked = [parse(tree) for tree in trees[:MOST_COUNTED]]
    visible = Lead.objects.visible_to(viewer)
    fitting = [visible.filter(compile_q(each, now=now, of_all=True)) for each in asked]
    return [
        Fitting(sentence(each), count_at_once(leads))
        for each, leads in zip(asked, fitting, strict=True)
    ]
