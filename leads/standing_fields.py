"""What disqualifiers and blocking conditions ask: the address, the company, consent, past deals.

Consent and deals are asked for as they were at ``now``, so that a past score can be explained.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, F, Func, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, In

from crm.common.criteria import Field, Kind, Op, column_field
from leads.countries import COUNTRIES
from leads.enums import ConsentPurpose, DealOutcome
from leads.models import CompanyDeal, Consent, Deal
from leads.normalise import FREE_MAILBOXES

GIVEN, WITHDRAWN = "GIVEN", "WITHDRAWN"
_ANSWERS = [(GIVEN, "Given"), (WITHDRAWN, "Withdrawn")]
_DOMAIN_OF_ADDRESS = Func(
    F("email"), Value("@"), Value(2), function="split_part", output_field=TextField()
)


def _has_address(_: datetime) -> Q:
    return Q(email__isnull=False)


def _domain_q(op: Op, value: Any, now: datetime) -> Q:
    """Ask for one of several domains; what lies under a domain belongs to it."""
    if op in (Op.IS_SET, Op.IS_EMPTY):
        return Q(email__isnull=op is Op.IS_EMPTY)
    domains = [name.strip(".@") for name in re.split(r"[\s,;]+", value.lower())]
    ends = [Q(email__endswith=f"{mark}{name}") for name in domains if name for mark in "@."]
    asked = reduce(or_, ends, Q(pk__in=[]))
    return asked if op is Op.IS else _has_address(now) & ~asked


def _free_mailbox_q(_op: Op, value: Any, _now: datetime) -> Q:
    is_free = Q(In(_DOMAIN_OF_ADDRESS, sorted(FREE_MAILBOXES)))
    return is_free if value else ~is_free


def _customer_q(_op: Op, value: Any, now: datetime) -> Q:
    """Ask whether the lead, or somebody of the same company, has bought.

    A deal that was to close in the future when it was recorded contradicts itself: nobody bought.
    """
    bought = Q(closed_at__lte=now) & Q(closed_at__lte=F("created_at")) & Q(outcome=DealOutcome.WON)
    own = Deal.objects.filter(bought, lead=OuterRef("pk"))
    of_company = CompanyDeal.objects.filter(bought, company_id=OuterRef("company"))
    is_customer = Q(Exists(own)) | Q(Exists(of_company))
    return is_customer if value else ~is_customer


def _consent_field(purpose: ConsentPurpose, order: int) -> Field:
    said = Consent.objects.filter(lead=OuterRef("pk"), purpose=purpose)

    def answered(now: datetime) -> Q:
        return Q(Exists(said.filter(given_at__lte=now)))

    def ask(op: Op, value: Any, now: datetime) -> Q:
        if op in (Op.IS_SET, Op.IS_EMPTY):
            return answered(now) if op is Op.IS_SET else ~answered(now)
        until = said.filter(given_at__lte=now)
        last = Subquery(until.order_by("-given_at", "-id").values("is_granted")[:1])
        wanted = {code == GIVEN for code in value}
        holds = [Q(Exact(Coalesce(last, Value(not each)), Value(each))) for each in sorted(wanted)]
        asked = reduce(or_, holds)
        return asked if op is Op.IN else answered(now) & ~asked

    return Field(
        f"consent_{purpose.lower()}", f"Consent to {purpose.label.lower()}", Kind.CHOICE, q=ask,
        choices=lambda: _ANSWERS, known=answered, group="Consent", order=order,
    )  # fmt: skip


STANDING_FIELDS = (
    Field(
        "email_domain", "E-mail domain", Kind.TEXT, q=_domain_q, known=_has_address, order=46,
        ops=(Op.IS, Op.IS_NOT, Op.IS_SET, Op.IS_EMPTY), hint="rival.com, other.example",
    ),
    Field(
        "free_mailbox", "Has a free mailbox", Kind.BOOLEAN, q=_free_mailbox_q, known=_has_address,
        order=47,
    ),
    column_field(
        "company_industry", "Industry", Kind.TEXT, path="company__industry", order=51,
        group="Company",
    ),
    column_field(
        "company_employees", "Employees", Kind.NUMBER, path="company__employees", order=52,
        group="Company",
    ),
    column_field(
        "company_country", "Country of the company", Kind.CHOICE, path="company__country",
        choices=lambda: list(COUNTRIES.items()), order=53, group="Company",
    ),
    Field("customer", "Company is a customer", Kind.BOOLEAN, q=_customer_q, order=54,
          group="Company"),
    *(_consent_field(purpose, order) for order, purpose in enumerate(ConsentPurpose, 10)),
)  # fmt: skip
