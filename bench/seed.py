"""What the benchmarks share: databases of their own, filled by bare SQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

from crm.embedded import location

#: Leads as they are before anybody did anything; ``title``, ``country`` and ``company``
#: are SQL over ``n``.
LEADS = """
INSERT INTO leads_lead (email, first_name, last_name, phone, title, company_name, country, region,
    city, website, source, medium, campaign, attributes, stage, stage_since, cycle, next_step,
    created_at, last_activity_at, company_id)
SELECT 'lead' || n || '@firm' || n % 50000 || '.example', 'Ines', 'Kallweit ' || n, '', {title},
    'Firm ' || n % 50000, {country}, '', '', '', '', '', '', '{{}}', 'LEAD', at, 1, '', at, at,
    {company}
FROM generate_series(1, {leads}) n, LATERAL (SELECT now() - interval '8 min' * (n % 60000) AS at) t;
INSERT INTO leads_stageinterval (lead_id, sequence, stage, cycle, started_at, rule, reason,
    is_override, is_imported, cell)
SELECT id, 1, 'LEAD', 1, created_at, 'Seed', '', false, false, '' FROM leads_lead;
INSERT INTO scoring_leadscore (lead_id) SELECT id FROM leads_lead;
"""


@contextmanager
def database(name: str, *, keep: bool) -> Iterator[str]:
    """Make the database ``name`` beside the configured one, and drop it afterwards."""
    import psycopg  # noqa: PLC0415 -- slow import

    url = urlsplit(os.environ.get("DATABASE_URL") or location.database_url())
    with psycopg.connect(urlunsplit(url._replace(path="/postgres")), autocommit=True) as server:
        known = server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(url._replace(path=f"/{name}"))
        finally:
            if not keep:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def start_django() -> None:
    """Load the application."""
    os.environ.setdefault("BATON_MODE", "local")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    import django  # noqa: PLC0415 -- after the environment is set

    django.setup()


def fill(statements: str) -> bool:
    """Migrate, and run ``statements`` unless there are leads; say whether they ran.

    Constraints are checked row by row by triggers, which do not run here: what is written must fit
    by construction. There are partitions for a year of events, less some days.
    """
    from django.core.management import call_command  # noqa: PLC0415 -- app ready
    from django.db import connection, transaction  # noqa: PLC0415 -- app ready
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from engagement.services import ensure_partitions  # noqa: PLC0415 -- app ready

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM leads_lead)")
        if cursor.fetchone() == (True,):
            return False
        now = timezone.now()
        ensure_partitions({(now - timedelta(days=10 * n)).date() for n in range(36)})
        with transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(statements)
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")
    return True
