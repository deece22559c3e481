"""What a process must be told by its environment, and the forms the libraries want it in."""

import os
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

REQUIRED = {
    "SECRET_KEY": "a long random string, the same for every process",
    "ALLOWED_HOSTS": "host names this site answers to, separated by commas",
    "DATABASE_URL": "postgres://user:password@host:5432/name",
    "REDIS_URL": "redis://host:6379/0",
    "EMAIL_URL": "submission://user:password@host:587",
    "DEFAULT_FROM_EMAIL": "the sender of notifications, such as Baton <baton@example.com>",
    "PUBLIC_URL": "the address people open, such as https://baton.example.com",
    "COLLECTOR_URL": "the address sites send events to, such as https://events.example.com",
}


def required_values() -> dict[str, str]:
    """Return the values production cannot do without.

    Raises:
        ImproperlyConfigured: naming every variable that is missing, each with what it should hold.
    """
    missing = [name for name in REQUIRED if not os.environ.get(name)]
    if missing:
        lines = "\n".join(f"  {name}: {REQUIRED[name]}" for name in missing)
        raise ImproperlyConfigured(
            f"Baton runs in production mode and the environment misses:\n{lines}\n"
            "Set them, or set BATON_MODE=local to try Baton on this machine."
        )
    return {name: os.environ[name] for name in REQUIRED}


def broker_url(redis_url: str) -> str:
    """Return Celery's form of a Redis protocol URL; a Unix socket has a scheme of its own there."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host=0"
    return redis_url


def database_options(*, pool_size: int) -> dict[str, Any]:
    """Return psycopg options: a bounded pool, and a limit to every wait (seconds, milliseconds)."""
    return {
        # When connecting failed for a second, the next request tries anew, instead of ever longer
        # pauses: pages are back with the server.
        "pool": {"min_size": 1, "max_size": pool_size, "timeout": 5, "reconnect_timeout": 1},
        "connect_timeout": 5,
        "prepare_threshold": 5,  # the ORM binds on the client and prepares nothing; sweeps do
        # A page that is not in memory comes from a solid-state disk: without being told so the
        # planner reads a table to its end, in several processes, for a thousand rows of it.
        "options": "-c statement_timeout=30000 -c lock_timeout=10000 -c random_page_cost=1.1"
        " -c idle_in_transaction_session_timeout=60000 -c plan_cache_mode=force_generic_plan",
    }


def networks(ranges: list[str]) -> list[str]:
    """Return networks such as ``203.0.113.0/24`` without the space around them.

    Raises:
        ImproperlyConfigured: one of them is none.
    """
    for each in ranges:
        try:
            ip_network(each.strip())
        except ValueError as error:
            raise ImproperlyConfigured(f"HOSTING_NETWORKS: {error}") from None
    return [each.strip() for each in ranges]
