"""Finding the company a lead works for."""

from __future__ import annotations

from datetime import datetime

from leads.models import Company
from leads.normalise import email_domain, is_free_mailbox


def match_company(*, email: str | None, company_name: str, now: datetime) -> Company | None:
    """Return the company behind an address or a name, made when it is new.

    The e-mail domain decides unless it is a free mailbox; else the name does, in any case. Two
    callers at once get the same company: the unique constraints decide, not a look before.
    """
    domain = email_domain(email)
    if domain and not is_free_mailbox(domain):
        return _by_domain(domain, company_name or domain, now)
    return _by_name(company_name, now) if company_name else None


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
