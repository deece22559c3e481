"""The demo company at any size: what ``seed_demo`` makes, and beyond that copies of it by bare SQL.

A copy has people, firms, leads, acts and handoffs of its own. Its times are those of the original:
so scores are right, clocks fall due and each view has its share of leads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db import models

#: Leads that ``seed_demo`` makes, in some minutes; a million are twenty times as many.
ORIGINAL = 50_000

#: Models of which a copy has rows besides all that refer to leads, over whatever it may be.
_OTHERS = (
    "accounts.User",
    "handoff.RepProfile",
    "leads.Company",
    "leads.Lead",
    "engagement.EventKey",
)
_LABEL = "{column} || '-{copy}'"
_NAME = "CASE WHEN {column} = '' THEN '' ELSE {column} || ' ({copy})' END"
_PHONE = "CASE WHEN {column} = '' THEN '' ELSE {column} || lpad('{copy}', 3, '0') END"
#: People have an address at their firm; all firms of the demo have such a one.
_ADDRESS = "replace({column}, '.example', '.c{copy}.example')"
_FACT = """
    CASE field
        WHEN 'email' THEN to_jsonb(replace({column} #>> '{{}}', '.example', '.c{copy}.example'))
        WHEN 'company_name' THEN to_jsonb(({column} #>> '{{}}') || ' ({copy})')
        WHEN 'phone' THEN to_jsonb(({column} #>> '{{}}') || lpad('{copy}', 3, '0'))
        ELSE {column}
    END
"""
#: What copies may not share, as SQL.
_OF_ITS_OWN = {
    "accounts_user.email": _ADDRESS,
    "leads_company.name": _NAME,
    "leads_company.domain": _ADDRESS,
    "leads_company.website": _ADDRESS,
    "leads_lead.email": _ADDRESS,
    "leads_lead.company_name": _NAME,
    "leads_lead.phone": _PHONE,
    "leads_leadfact.value": _FACT,
    "engagement_visitor.name": _LABEL,
    "engagement_submission.nonce": "md5({column} || '{copy}')",
    "engagement_event_key.message_id": _LABEL,
}
#: Ids begin with a time, which a copy keeps.
_UUID = "overlay({column}::text placing left(md5({column}::text || '{copy}'), 12) from 25)::uuid"

_INDEXES = """
    SELECT indexrelid::regclass::text, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
    FROM pg_index
    WHERE indrelid = %s::regclass
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
#: Keys that no other table refers to.
_KEYS = """
    SELECT quote_ident(conname), pg_get_constraintdef(oid)
    FROM pg_constraint own
    WHERE conrelid = %s::regclass AND contype IN ('p', 'u') AND NOT EXISTS (
        SELECT FROM pg_constraint other WHERE other.contype = 'f' AND other.conindid = own.conindid
    )
"""
_SETTINGS = """
    SET CONSTRAINTS ALL IMMEDIATE;
    SET LOCAL session_replication_role = replica;
    SET LOCAL maintenance_work_mem = '512MB';
    SET LOCAL statement_timeout = 0
"""


def seed(size: int) -> None:
    """Fill the database with the demo company of ``size`` leads, unless it has some."""
    from django.core.management import call_command  # noqa: PLC0415 -- app ready
    from django.db import connection, transaction  # noqa: PLC0415 -- app ready

    from crm.reports.services import count_funnel_days, count_sla_days  # noqa: PLC0415 -- app ready
    from leads.models import Lead  # noqa: PLC0415 -- app ready
    from leads.services import mark_duplicates  # noqa: PLC0415 -- app ready

    call_command("migrate", verbosity=0)
    if not Lead.objects.exists():
        started = time.perf_counter()
        with transaction.atomic():  # a seed that was stopped leaves nothing behind
            _make(size)
        print(f"seeded {size:,} leads in {time.perf_counter() - started:.0f} s")
    _go_through(count_sla_days)
    _go_through(count_funnel_days)
    while mark_duplicates():
        pass
    with connection.cursor() as cursor:  # as autovacuum would have done by now
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")


def _make(size: int) -> None:
    from django.core.management import call_command  # noqa: PLC0415 -- app ready

    from crm.reports.services import count_splits  # noqa: PLC0415 -- app ready

    times = max(size // ORIGINAL, 1)
    call_command("seed_demo", leads=size // times)
    _predict()
    _go_through(count_splits)
    multiply(times - 1)


def _predict() -> None:
    """Train what the company asked for and predict all leads, as the worker of ``up`` does."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from crm.accounts.enums import Role  # noqa: PLC0415 -- app ready
    from crm.accounts.models import User  # noqa: PLC0415 -- app ready
    from scoring.models import PredictiveModel  # noqa: PLC0415 -- app ready
    from scoring.services.predicting import activate, renew_predictions  # noqa: PLC0415 -- app ready
    from scoring.services.training import train_waiting  # noqa: PLC0415 -- app ready

    now = timezone.now()
    train_waiting(now=now)
    for model in PredictiveModel.objects.all():
        if model.is_trained:  # small companies have too few outcomes
            marketer = User.objects.filter(roles__contains=[Role.MARKETER]).earliest("id")
            activate(model_id=model.pk, actor=marketer, now=now)
    _go_through(renew_predictions)


def _go_through(sweep: Callable[..., object]) -> None:
    """Sweep until nothing is left, as the loops of ``up`` do."""
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    while sweep(now=timezone.now()):
        pass


def multiply(copies: int) -> None:
    """Add ``copies`` of the whole company, in the transaction that is open.

    Neither triggers nor references are looked at: both hold of the copies as of the original.
    """
    from django.db import connection  # noqa: PLC0415 -- app ready

    if not copies:
        return
    found = _copied()
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        strides = {model: _stride(cursor, model) for model in found}
        for model in found:
            _copy(cursor, model, strides, copies)
        cursor.execute("SET LOCAL session_replication_role = origin")


def _copied() -> list[type[models.Model]]:
    from django.apps import apps  # noqa: PLC0415 -- app ready

    found = dict.fromkeys(apps.get_model(name) for name in _OTHERS)
    reached: set[type[models.Model]] = {apps.get_model("leads.Lead")}
    while reached:
        found |= dict.fromkeys(reached)
        reached = {
            model
            for model in apps.get_models()
            if model not in found and reached & {f.related_model for f in _columns(model)}
        }
    return list(found)


def _columns(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.generated]


def _stride(cursor: Any, model: type[models.Model]) -> int:
    """Return what the ids of one copy are beyond those of the one before; 0 without own ids."""
    if not model._meta.auto_field:
        return 0
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM {model._meta.db_table}")
    return int(cursor.fetchone()[0])


def _copy(
    cursor: Any, model: type[models.Model], strides: dict[type[models.Model], int], copies: int
) -> None:
    """Write the copies of one table, whose indexes are built afterwards: that is much quicker."""
    table, fields = model._meta.db_table, _columns(model)
    cursor.execute(_INDEXES, [table])
    indexes = cursor.fetchall()
    cursor.execute(_KEYS, [table])
    keys = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    for name, _ in keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute(f"CREATE TEMP TABLE original ON COMMIT DROP AS SELECT * FROM {table}")
    names = ", ".join(f'"{field.column}"' for field in fields)
    for copy in range(1, copies + 1):
        told = ", ".join(_told(table, field, strides, copy) for field in fields)
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {told} FROM original")
    cursor.execute("DROP TABLE original")
    for name, definition in keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for _, definition in indexes:
        cursor.execute(definition)
    if strides[model]:
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
        )


def _told(table: str, field: Any, strides: dict[type[models.Model], int], copy: int) -> str:
    """Return what stands in a column of a copy, as SQL over the original."""
    column = f'"{field.column}"'
    own = _OF_ITS_OWN.get(f"{table}.{field.column}")
    if own is None and field.get_internal_type() == "UUIDField":
        own = _UUID
    if own is not None:
        return own.format(column=column, copy=copy)
    is_own_id = field.primary_key and field.related_model is None
    stride = strides.get(field.model if is_own_id else field.related_model, 0)
    return f"{column} + {copy * stride}" if stride else column
