"""Finding the company a lead works for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from leads.expressions import is_any_of
from leads.models import Company
from leads.normalise import email_domain, is_free_mailbox


def match_company(*, email: str | None, company_name: str, now: datetime) -> Company | None:
    """Return the company behind an address or a name, made when it is new.

    The e-mail domain decides unless it is a free mailbox; else the name does, in any case. Two
    callers at once get the same company: the unique constraints decide, not a look before.
    """
    domain, _ = _key(email, company_name)
    if domain:
        return _by_domain(domain, company_name or domain, now)
    return _by_name(company_name, now) if company_name else None


def match_companies(*, wanted: Sequence[tuple[str | None, str]], now: datetime) -> list[int | None]:
    """Return the id of what ``match_company`` would for each (address, name), in three queries."""
    keys = [_key(email, name) for email, name in wanted]
    by_domain = {domain: name for domain, name in keys if domain}
    names = list(dict.fromkeys(name for domain, name in keys if not domain and name))
    known = _known(by_domain, names)
    # In one order, so that two transactions with the same new ones wait only one way.
    new = [Company(name=name or domain, domain=domain, created_at=now)
           for domain, name in sorted(by_domain.items()) if (domain, "") not in known]  # fmt: skip
    new += [Company(name=name, created_at=now) for name in sorted(names) if ("", name) not in known]
    if new:
        Company.objects.bulk_create(new, ignore_conflicts=True)
        known = _known(by_domain, names)
    return [known.get((domain, "" if domain else name)) for domain, name in keys]


def _key(email: str | None, name: str) -> tuple[str, str]:
    """Return the domain that decides, empty for none or a free mailbox, and the name."""
    domain = email_domain(email)
    return ("" if is_free_mailbox(domain) else domain), name


def _known(domains: Iterable[str], names: list[str]) -> dict[tuple[str, str], int]:
    """Return the ids of the companies there are, by domain or by name as it was given."""
    of_domain = Company.objects.filter(is_any_of("domain", domains)).values_list("domain", "id")
    found = {(domain or "", ""): pk for domain, pk in of_domain}
    return found | {("", name): pk for name, pk in _known_names(names).items()}


def _known_names(names: list[str]) -> dict[str, int]:
    """Return the names that a company has, each with its id; the oldest company wins.

    The database compares, as it does for one name: Python has other capitals, SS for ß.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (given.name) given.name, company.id"
            " FROM unnest(%s::text[]) AS given (name)"
            " JOIN leads_company company ON upper(company.name) = upper(given.name)"
            " ORDER BY given.name, company.id",
            [names],
        )
        return dict(cursor.fetchall())


def _by_domain(domain: str, name: str, now: datetime) -> Company:
    known = Company.objects.filter(domain=domain).first()
    if known:
        return known
    _insert(Company(name=name, domain=domain, created_at=now))
    return Company.objects.get(domain=domain)


def _by_name(name: str, now: datetime) -> Company | None:
    named = Company.objects.filter(name__iexact=name).order_by("id")
    known = named.first()
    if known:
        return known
    _insert(Company(name=name, created_at=now))
    return named.first()


def _insert(company: Company) -> None:
    Company.objects.bulk_create([company], ignore_conflicts=True)
