"""What criteria can ask of a lead's own data; ``furniture`` registers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model, Q
from django.utils import timezone

from crm.accounts.models import SalesTeam, User
from crm.common.criteria import Field, Kind, Op, column_field
from crm.common.criteria.fields import Choices
from crm.common.criteria.values import start_of
from crm.common.present import present_values
from leads.countries import COUNTRIES
from leads.enums import AttributeType, LifecycleStage
from leads.models import Lead, LeadAttribute, Note, Tag
from leads.normalise import normalise_source, source_label
from leads.search import ask_for_words, read_words

ATTRIBUTE_PREFIX = "attr_"


def present_codes(column: str) -> list[str]:
    """Return the different values that leads have in an indexed text column, at most 200."""
    return present_values(Lead.objects.standing(), column)


def _source_choices() -> Choices:
    return [(code, source_label(code)) for code in present_codes("source")]


def _source_q(op: Op, value: Any, _: datetime) -> Q:
    codes = [normalise_source(code) for code in value or ()]
    asked = {
        Op.IN: Q(source__in=codes),
        Op.NOT_IN: ~Q(source__in=[*codes, ""]),
        Op.IS_SET: ~Q(source=""),
        Op.IS_EMPTY: Q(source=""),
    }
    return asked[op]


def _relation_field(
    name: str, label: str, path: str, choices: Callable[[], Choices], **options: Any
) -> Field:
    """Return a field over a foreign key of Lead; its codes are primary keys."""
    known = Q(**{f"{path}__isnull": False})

    def ask(op: Op, value: Any, _: datetime) -> Q:
        asked = {
            Op.IN: lambda: Q(**{f"{path}__in": [int(code) for code in value]}),
            Op.NOT_IN: lambda: known & ~Q(**{f"{path}__in": [int(code) for code in value]}),
            Op.IS_SET: lambda: known,
            Op.IS_EMPTY: lambda: ~known,
        }
        return asked[op]()

    return Field(name, label, Kind.CHOICE, q=ask, choices=choices, known=lambda _: known, **options)


def _people() -> Choices:
    people = User.objects.filter(is_active=True).order_by("full_name", "id")
    return [(str(user.pk), str(user)) for user in people]


def _teams() -> Choices:
    return [(str(team.pk), str(team)) for team in SalesTeam.objects.order_by("name", "id")]


def _exists_field(name: str, label: str, model: type[Model], **options: Any) -> Field:
    """Return a yes-or-no field: is there a row of ``model`` for the lead?"""
    return Field(
        name,
        label,
        Kind.BOOLEAN,
        q=lambda _op, value, _now: _signed(Q(pk__in=model._default_manager.values("lead")), value),
        **options,
    )


def _signed(asked: Q, value: bool) -> Q:
    return asked if value else ~asked


def _text(name: str, label: str, order: int, path: str = "", group: str = "Lead") -> Field:
    return column_field(name, label, Kind.TEXT, path=path or name, order=order, group=group)


def _tag_q(op: Op, value: Any, _: datetime) -> Q:
    """Ask for tags; what the index leaves out is said, so that it can be used."""
    if op in (Op.IS_SET, Op.IS_EMPTY):
        return _signed(~Q(tags=[]), op is Op.IS_SET)
    return _signed(~Q(tags=[]) & Q(tags__overlap=value), op is Op.IN)


def _tags() -> Choices:
    return [
        (name, name) for name in Tag.objects.order_by("name").values_list("name", flat=True)[:200]
    ]


def _company_q(op: Op, value: Any, now: datetime) -> Q:
    """Ask for a company; the search index narrows what a pattern has to look through."""
    asked = _COMPANY_NAME.q(op, value, now)
    is_pattern = op in (Op.IS, Op.CONTAINS, Op.STARTS_WITH)
    return Q(search_text__contains=value.lower()) & asked if is_pattern else asked


_COMPANY_NAME = _text("company_name", "Company", 50)

LEAD_FIELDS = (
    column_field(
        "stage", "Stage", Kind.CHOICE, path="stage", order=10, group="Lifecycle",
        choices=lambda: LifecycleStage.choices, ops=(Op.IN, Op.NOT_IN),
    ),
    column_field(
        "stage_since", "In this stage since", Kind.DATE, path="stage_since", order=11,
        group="Lifecycle",
    ),
    column_field("cycle", "Cycle", Kind.NUMBER, path="cycle", order=12, group="Lifecycle"),
    column_field("woken_at", "Woke up", Kind.DATE, path="woken_at", order=14, group="Lifecycle"),
    column_field("wake_at", "Wakes up", Kind.DATE, path="wake_at", order=13, group="Lifecycle"),
    column_field("created", "Created", Kind.DATE, path="created_at", order=14, group="Lifecycle"),
    _relation_field("owner", "Owner", "owner", _people, order=20, group="Work"),
    _relation_field("team", "Team", "team", _teams, order=21, group="Work"),
    Field(
        "next_step", "Has a next step", Kind.BOOLEAN, order=22, group="Work",
        q=lambda _op, value, _now: _signed(~Q(next_step=""), value),
    ),
    Field(
        "tag", "Tag", Kind.CHOICE, q=_tag_q, choices=_tags, is_open=True,
        known=lambda _: ~Q(tags=[]), order=24, group="Work",
    ),
    _exists_field("has_note", "Has a note", Note, order=23, group="Work"),
    Field(
        "source", "Source", Kind.CHOICE, q=_source_q, choices=_source_choices, is_open=True,
        known=lambda _: ~Q(source=""), order=30, group="Source",
    ),
    _text("medium", "Medium", 31, group="Source"),
    _text("campaign", "Campaign", 32, group="Source"),
    Field(
        "words", "Name, e-mail, company or phone", Kind.CUSTOM, q=ask_for_words, ops=(Op.CONTAINS,),
        read=read_words, words=str, control="leads/_filter_words.html", order=39,
    ),
    Field(
        "company", "Company", Kind.TEXT, q=_company_q, known=_COMPANY_NAME.known, order=40
    ),
    _text("title", "Title", 41),
    column_field(
        "country", "Country", Kind.CHOICE, path="country", order=42,
        choices=lambda: list(COUNTRIES.items()),
    ),
    _text("region", "Region", 43),
    _text("city", "City", 44),
    Field(
        "duplicates", "Has possible duplicates", Kind.BOOLEAN, order=48,
        q=lambda _op, value, _now: Q(has_duplicate=value),
    ),
    Field(
        "has_email", "Has an e-mail address", Kind.BOOLEAN, order=45,
        q=lambda _op, value, _now: Q(email__isnull=not value),
    ),
)  # fmt: skip


_KIND_OF_TYPE = {
    AttributeType.TEXT: Kind.TEXT,
    AttributeType.NUMBER: Kind.NUMBER,
    AttributeType.BOOLEAN: Kind.BOOLEAN,
    AttributeType.DATE: Kind.DATE,
    AttributeType.CHOICE: Kind.CHOICE,
}
_ATTRIBUTE_LOOKUPS: Mapping[Op, str] = {
    Op.IS: "exact",
    Op.IN: "in",
    Op.CONTAINS: "icontains",
    Op.STARTS_WITH: "istartswith",
    Op.AT_LEAST: "gte",
    Op.AT_MOST: "lte",
    Op.BEFORE: "lt",
    Op.AFTER: "gte",
}


def attribute_fields() -> Iterator[Field]:
    """Yield one field per declared attribute."""
    for attribute in LeadAttribute.objects.order_by("label", "id"):
        yield _attribute_field(attribute)


def _attribute_field(attribute: LeadAttribute) -> Field:
    known = Q(attributes__has_key=attribute.name)
    kind = _KIND_OF_TYPE[AttributeType(attribute.type)]
    return Field(
        f"{ATTRIBUTE_PREFIX}{attribute.name}",
        attribute.label,
        kind,
        q=lambda op, value, now: _attribute_q(
            f"attributes__{attribute.name}", known, op, value, now
        ),
        choices=(lambda: [(code, code) for code in attribute.choices])
        if kind is Kind.CHOICE
        else None,
        known=lambda _: known,
        group="Attributes",
    )


def _attribute_q(path: str, known: Q, op: Op, value: Any, now: datetime) -> Q:
    """Return one comparison of a key of the attributes; an absent key is never equal or unequal."""
    spans: Mapping[Op, Callable[[], Q]] = {
        Op.IS_SET: lambda: known,
        Op.IS_EMPTY: lambda: ~known,
        Op.IS_NOT: lambda: known & ~Q(**{f"{path}__iexact": value}),
        Op.NOT_IN: lambda: known & ~Q(**{f"{path}__in": value}),
        Op.WITHIN: lambda: _days(path, now - value, now),
        Op.NOT_WITHIN: lambda: Q(**{f"{path}__lt": _stored(now - value)}),
        Op.COMING: lambda: _days(path, now, now + value),
        Op.SINCE: lambda: Q(**{f"{path}__gte": _stored(start_of(value, now))}),
    }
    if op in spans:
        return spans[op]()
    lookup = "iexact" if op is Op.IS and isinstance(value, str) else _ATTRIBUTE_LOOKUPS[op]
    return Q(**{f"{path}__{lookup}": _stored(value)})


def _days(path: str, first: datetime, last: datetime) -> Q:
    return Q(**{f"{path}__gte": _stored(first), f"{path}__lte": _stored(last)})


def _stored(value: Any) -> Any:
    """Return a typed value as the attributes hold it: dates as local ISO days, plain numbers."""
    if isinstance(value, datetime):
        return timezone.localdate(value).isoformat()
    return float(value) if isinstance(value, Decimal) else value
