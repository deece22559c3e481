"""What becomes of leads without a handoff when their owner sells no more."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.http import urlencode

from crm.accounts.enums import NewsKind
from crm.accounts.models import SalesTeam, User
from crm.common.notifications import notify
from handoff.models import Handoff
from handoff.services.people import managers_of
from leads.models import Lead
from leads.services import release_leads


def release_owned(*, of: User, now: datetime) -> None:
    """Leave the leads ``of`` somebody that have no open handoff to their teams; tell the managers.

    Their colleagues see them from then on; nobody would if they stayed with who left.
    """
    with_sales = Handoff.objects.open().values("lead")
    owned = Lead.objects.filter(owner=of).exclude(pk__in=with_sales)
    released = release_leads(lead_ids=list(owned.values_list("pk", flat=True)), of=of, now=now)
    if released:
        notify(
            kind=NewsKind.HANDOFF,
            recipients=managers_of(of.sales_team_id),
            key=f"released:{of.pk}:{now.isoformat()}",
            title=f"{released} lead{'' if released == 1 else 's'} of {of} without an owner now",
            body=f"{of} sells no more. What is in work went to others; give these to somebody.",
            url=_list_of_ownerless(of.sales_team),
            icon="user-x",
            now=now,
        )


def _list_of_ownerless(team: SalesTeam | None) -> str:
    filters = ["owner.is_empty", *([f"team.in.{team.pk}"] if team else [])]
    asked = urlencode({"view": "all", "f": filters}, doseq=True)
    return f"{reverse('leads:list')}?{asked}"
