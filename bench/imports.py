"""Rows a second of an import of new leads, and its ratio to a bare COPY of the same rows.

Run it from the root of the repository: ``python -m bench.imports [--lines 20000 100000]``. Each
size runs in a new database beside the configured one (``baton_bench_imports``). The reference
copies the leads, numbers, intervals and facts that the import wrote into the same emptied tables,
with their indexes and constraints. Targets: 20,000 rows/s on a quiet machine, and a peak of memory
below 300 MB that does not grow with the file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "imports.jsonl"
TABLES = ("leads_lead", "leads_externalid", "leads_stageinterval", "leads_leadfact")
HEADER = "number,mail,first,name,company,country,source,seen,size\n"
MAPPING: dict[str, Any] = {
    "system": "bench",
    "key": "number",
    "fields": {
        "email": "mail", "first_name": "first", "last_name": "name", "company_name": "company",
        "country": "country", "source": "source", "attributes.size": "size",
    },
    "attributes": {"size": {"type": "NUMBER"}},
    "created_at": {"column": "seen", "format": "%Y-%m-%d"},
}  # fmt: skip


def main() -> None:
    """Measure every size in a process and a database of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    print(
        f"{'lines':>10} {'rows/s':>10} {'CPU rows/s':>12} {'bare COPY/s':>12}"
        f" {'ratio':>7} {'MB':>6}"
    )
    for lines in options.lines:
        subprocess.run(
            [sys.executable, "-m", "bench.imports", f"--measure={lines}"],
            check=True, cwd=ROOT, env={**os.environ, "DATABASE_URL": empty_database()},
        )  # fmt: skip


def empty_database() -> str:
    """Return the URL of a new database beside the configured one."""
    import psycopg  # noqa: PLC0415 -- slow import

    from crm.embedded import location  # noqa: PLC0415 -- only where none is configured

    url = urlsplit(os.environ.get("DATABASE_URL") or location.database_url())
    with psycopg.connect(urlunsplit(url), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS baton_bench_imports")
        connection.execute("CREATE DATABASE baton_bench_imports")
    return urlunsplit(url._replace(path="/baton_bench_imports"))


def measure(lines: int) -> None:
    """Import a generated file of ``lines``, copy the same rows, print and keep the figures."""
    os.environ.setdefault("BATON_MODE", "local")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    import django  # noqa: PLC0415 -- after the environment is set

    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        seconds, cpu = import_file(generate(Path(folder) / "leads.csv", lines))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bare = copy_again()
    figures = {
        "lines": lines, "rows_per_second": lines / seconds, "rows_per_cpu_second": lines / cpu,
        "bare_rows_per_second": lines / bare, "ratio": seconds / bare, "peak_mb": peak,
    }  # fmt: skip
    print(
        f"{lines:10,} {lines / seconds:10,.0f} {lines / cpu:12,.0f} {lines / bare:12,.0f}"
        f" {seconds / bare:7.1f} {peak:6.0f}"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as kept:
        kept.write(json.dumps(figures) + "\n")


def generate(path: Path, lines: int) -> Path:
    """Write a file of new leads, five at each company."""
    with path.open("w") as file:
        file.write(HEADER)
        for n in range(lines):
            firm, country = n % max(lines // 5, 1), ("DE", "France", "us", "Italy")[n % 4]
            source = ("Google", "google", "Organic Search")[n % 3]
            file.write(
                f"{n},p{n}@firm{firm}.example,Ines,Name {n % 977},Firm {firm},{country},{source},"
                f"2025-{1 + n % 12:02}-{1 + n % 28:02},{n % 500}\n"
            )
    return path


def import_file(path: Path) -> tuple[float, float]:
    """Return wall and processor seconds of the import, in this process, staging included."""
    from django.core.management import call_command  # noqa: PLC0415 -- app ready
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from leads.enums import ImportKind  # noqa: PLC0415 -- app ready
    from leads.importing.jobs import create_job, run_job  # noqa: PLC0415 -- app ready

    call_command("migrate", verbosity=0)
    now = timezone.now()
    job = create_job(kind=ImportKind.LEADS, path=path, now=now, mapping=MAPPING, is_dry_run=False)
    started, used = time.perf_counter(), time.process_time()
    run_job(job_id=job.pk, now=now)
    return time.perf_counter() - started, time.process_time() - used


def copy_again() -> float:
    """Return the seconds of a bare COPY of what the import wrote."""
    from django.db import connection, transaction  # noqa: PLC0415 -- app ready

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        copied = []
        for table in TABLES:
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE"
                " attrelid = %s::regclass AND attnum > 0 AND attgenerated = ''",
                [table],
            )
            columns = f"{table} ({cursor.fetchone()[0]})"
            with cursor.copy(f"COPY {columns} TO STDOUT") as out:
                copied.append((columns, b"".join(out)))
        cursor.execute("TRUNCATE leads_lead, leads_leadfact CASCADE")
        started = time.perf_counter()
        with transaction.atomic():
            for columns, data in copied:
                with cursor.copy(f"COPY {columns} FROM STDIN") as into:
                    into.write(data)
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
