"""Marking leads of whom somebody else may be the same person."""

from __future__ import annotations

from django.db import connection, transaction

from crm.common.locks import try_hold
from leads.models import DuplicateCheck

#: Names of one round. Our choice: a round takes some hundredths of a second.
BATCH = 2_000

#: Rows are held in one order, as all do who write many leads.
_MARK = """
    WITH asked AS (
        SELECT DISTINCT last_name, first_name FROM leads_duplicatecheck WHERE id = ANY(%s)
    ), compared AS (
        SELECT id, has_duplicate,
            (company_name <> '' AND count(*) OVER (PARTITION BY last_name, first_name, company_name)
                > 1)
            OR (phone <> '' AND count(*) OVER (PARTITION BY last_name, first_name, phone) > 1)
            AS may_be_twice
        FROM asked JOIN leads_lead USING (last_name, first_name)
        WHERE merged_into_id IS NULL
    ), held AS (
        SELECT id, may_be_twice FROM compared JOIN leads_lead lead USING (id)
        WHERE may_be_twice <> compared.has_duplicate ORDER BY id FOR NO KEY UPDATE OF lead
    )
    UPDATE leads_lead lead SET has_duplicate = may_be_twice FROM held WHERE held.id = lead.id
"""


@transaction.atomic
def mark_duplicates() -> bool:
    """Mark the standing leads that share a full name and a company or phone; say if more are due.

    What is due is read before the leads are, so a change that commits meanwhile is due again. One
    round at a time; another that comes meanwhile does nothing.
    """
    if not try_hold("leads.mark_duplicates"):
        return False
    due = DuplicateCheck.objects.order_by("id").values_list("pk", flat=True)
    ids = list(due[:BATCH])
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_MARK, [ids])
        DuplicateCheck.objects.filter(pk__in=ids).delete()
    return len(ids) == BATCH
