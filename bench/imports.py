"""Lines a second of an import of new leads, and its ratio to a bare COPY of the same rows.

Run it from the root of the repository: ``python -m bench.imports [--lines 20000 100000]``. Each
size runs in a new database beside the configured one (``baton_bench_imports``). Of twenty lines one
is bad or repeats another; good, refused and repeated ones must add up to the lines of the file. The
reference copies what the import wrote into empty tables with the same indexes. Processor seconds
are those of this process and of its database session, which no neighbour on the machine lengthens
much; the latter need both on one Linux machine. Targets: 20,000 lines/s on a quiet machine, and a
peak of memory below 300 MB that does not grow with the file.
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
        f"{'lines':>10} {'lines/s':>8} {'Python CPU s':>13} {'database CPU s':>15}"
        f" {'COPY/s':>8} {'ratio':>6} {'MB':>5}"
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
        seconds, python, database = import_file(generate(Path(folder) / "leads.csv", lines), lines)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bare = copy_again()
    figures = {
        "lines": lines, "lines_per_second": lines / seconds, "python_cpu_seconds": python,
        "database_cpu_seconds": database, "bare_lines_per_second": lines / bare,
        "ratio": seconds / bare, "peak_mb": peak,
    }  # fmt: skip
    print(
        f"{lines:10,} {lines / seconds:8,.0f} {python:13.1f} {database:15.1f}"
        f" {lines / bare:8,.0f} {seconds / bare:6.1f} {peak:5.0f}"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as kept:
        kept.write(json.dumps(figures) + "\n")


def generate(path: Path, lines: int) -> Path:
    """Write a file of new leads, five at each company, of which one in twenty is no good."""
    with path.open("w") as file:
        file.write(HEADER)
        for n in range(lines):
            firm, country = n % max(lines // 5, 1), ("DE", "France", "us", "Italy")[n % 4]
            source = ("Google", "google", "Organic Search")[n % 3]
            line = (
                f"{n},p{n}@firm{firm}.example,Ines,Name {n % 977},Firm {firm},{country},{source},"
                f"2025-{1 + n % 12:02}-{1 + n % 28:02},{n % 500}"
            )
            file.write(f"{spoiled(line, n) if n % 20 == 7 else line}\n")
    return path


def spoiled(line: str, n: int) -> str:
    """Return ``line`` with one fault of a real export; which one depends on ``n``."""
    faults = [
        ("@firm", "(at)firm"), (",2025-", ",31.12.2025 or "), (",Ines,", ",=HYPERLINK(1),"),
        (",Ines,", ","), (f"{n},p", f"{n - 7},p"),
    ]  # fmt: skip
    return line.replace(*faults[n // 20 % len(faults)], 1)


def import_file(path: Path, lines: int) -> tuple[float, float, float]:
    """Return the seconds of the import, and processor seconds of Python and of the database."""
    from django.core.management import call_command  # noqa: PLC0415 -- app ready
    from django.utils import timezone  # noqa: PLC0415 -- app ready

    from leads.enums import ImportKind  # noqa: PLC0415 -- app ready
    from leads.importing.jobs import counts, create_job, run_job  # noqa: PLC0415 -- app ready

    call_command("migrate", verbosity=0)
    now = timezone.now()
    job = create_job(kind=ImportKind.LEADS, path=path, now=now, mapping=MAPPING, is_dry_run=False)
    started, python, database = time.perf_counter(), time.process_time(), session_cpu()
    job = run_job(job_id=job.pk, now=now)
    spent = (
        time.perf_counter() - started, time.process_time() - python, session_cpu() - database
    )  # fmt: skip
    said = counts(job)
    if sum(said.values()) != lines or said["NEW"] != lines - len(range(7, lines, 20)):
        raise SystemExit(f"Lines were lost or bent: {said}")
    return spent


def session_cpu() -> float:
    """Return the processor seconds that the database has spent on our connection so far."""
    from django.db import connection  # noqa: PLC0415 -- app ready

    connection.ensure_connection()
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat")
    if not stat.exists():
        return float("nan")
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def copy_again() -> float:
    """Return the seconds of a bare COPY of what the import wrote into tables of the same form."""
    from django.db import connection, transaction  # noqa: PLC0415 -- app ready

    seconds = 0.0
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL statement_timeout = 0")
        for table in TABLES:
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE"
                " attrelid = %s::regclass AND attnum > 0 AND attgenerated = ''",
                [table],
            )
            [(columns,)] = cursor.fetchall()
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
            with tempfile.TemporaryFile() as kept:
                with cursor.copy(f"COPY {table} ({columns}) TO STDOUT") as out:
                    for piece in out:
                        kept.write(piece)
                kept.seek(0)
                started = time.perf_counter()
                with cursor.copy(f"COPY bare_{table} ({columns}) FROM STDIN") as into:
                    while piece := kept.read(2**16):
                        into.write(piece)
                seconds += time.perf_counter() - started
        transaction.set_rollback(True)
    return seconds


if __name__ == "__main__":
    main()
