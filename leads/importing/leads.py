"""Applying lines of leads: a chunk in a constant number of statements, silently for the past."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.sql import SQL, Composed, Identifier, Literal

from leads.enums import RowResult
from leads.importing.bulk import update_rows
from leads.importing.mapping import LeadMapping
from leads.importing.results import Result
from leads.importing.sql.history import intervals_of_new_leads
from leads.importing.sql.leads import FIELDS, check_leads
from leads.importing.sql.lines import Lines
from leads.importing.sql.tables import create_table, fetch, refusals
from leads.models import ExternalId, Lead, LeadAttribute, LeadFact
from leads.services.companies import match_companies
from leads.services.facts import FACT_FIELDS
from leads.signals import leads_changed

RULE = "Import"
#: New leads are told from known ones by the number in the source system, then by e-mail. LATERAL
#: with a limit: one look-up of an index for each line, whatever the planner believes.
_MATCH = SQL("""
    SELECT id, number, lead_id, other_id, email, lead_id IS NULL AS is_new, is_foreign,
        CASE WHEN claimed < number THEN claimed END AS claimed
    FROM (
        SELECT *, CASE WHEN email IS NOT NULL THEN
            min(number) FILTER (WHERE NOT is_foreign) OVER (PARTITION BY email)
        END AS claimed
        FROM (
            SELECT said.id, said.number, said.email, other.id AS other_id,
                coalesce(numbered.lead_id, other.id) AS lead_id,
                other.id IS NOT NULL AND CASE
                    WHEN numbered.lead_id IS NOT NULL THEN other.id <> numbered.lead_id
                    ELSE said.external_id <> '' AND EXISTS (
                        SELECT FROM leads_externalid WHERE lead_id = other.id AND system = {system})
                END AS is_foreign
            FROM import_lead AS said
            LEFT JOIN LATERAL (
                SELECT lead_id FROM leads_externalid
                WHERE system = {system} AND external_id = said.external_id LIMIT 1
            ) AS numbered ON said.external_id <> ''
            LEFT JOIN LATERAL (
                SELECT coalesce(merged_into_id, id) AS id FROM leads_lead
                WHERE email = said.email LIMIT 1
            ) AS other ON true
            WHERE said.fault IS NULL
        ) AS met
    ) AS claim""")
_REFUSE = """
    DELETE FROM import_match WHERE claimed IS NOT NULL OR is_foreign
    RETURNING id, email, claimed, other_id"""
_RESERVE = """
    UPDATE import_match SET
        lead_id = nextval((SELECT pg_get_serial_sequence('leads_lead', 'id')::regclass))
    WHERE is_new RETURNING id, lead_id"""
#: The domain decides a company, else the name; the last line of a domain names a new one.
_WANTED = """
    SELECT coalesce(split_part(said.email, '@', -1), ''), said.company_name
    FROM import_match AS made JOIN import_lead AS said USING (id)
    WHERE made.is_new GROUP BY 1, 2 ORDER BY max(said.number)"""
_CREATE = SQL("""
    INSERT INTO leads_lead ({columns}, id, attributes, company_id, stage, stage_since, cycle,
        created_at, imported_at, last_activity_at, next_step)
    SELECT {values}, made.lead_id, jsonb_strip_nulls(coalesce(said.attributes, '{{}}')),
        firm.id, last.stage, last.at, last.cycle, last.captured_at, {now}, last.at, ''
    FROM import_match AS made
    JOIN import_lead AS said USING (id)
    JOIN import_step AS last ON last.id = made.id AND last.ended_at IS NULL
    LEFT JOIN unnest({domains}::text[], {names}::text[], {firms}::bigint[])
        AS firm (domain, name, id)
        ON firm.domain = coalesce(split_part(said.email, '@', -1), '')
        AND firm.name = said.company_name
    WHERE made.is_new ORDER BY made.number""")
_NUMBER = """
    INSERT INTO leads_externalid (lead_id, system, external_id)
    SELECT made.lead_id, %s, said.external_id
    FROM import_match AS made JOIN import_lead AS said USING (id)
    WHERE made.is_new AND said.external_id <> '' ORDER BY made.number"""
#: All that the file says of new leads, dated by their capture; empty is no answer.
_RECORD = SQL("""
    INSERT INTO leads_leadfact (lead_id, field, value, recorded_at)
    SELECT lead.id, said.field, coalesce(to_jsonb(said.text), said.json), lead.created_at
    FROM import_match AS made
    JOIN leads_lead AS lead ON lead.id = made.lead_id
    CROSS JOIN LATERAL (VALUES {texts}, ('attributes', NULL, lead.attributes))
        AS said (field, text, json)
    WHERE made.is_new AND (said.text <> '' OR said.json <> '{{}}') ORDER BY made.number""")
_KNOWN = SQL("""
    SELECT said.id, met.lead_id, said.external_id, said.attributes, {columns}
    FROM import_match AS met JOIN import_lead AS said USING (id)
    WHERE NOT met.is_new ORDER BY met.number""")


@dataclass(frozen=True)
class _Known:
    """A line about a lead that exists: ``values`` holds given fields only."""

    row_id: int
    external_id: str
    values: Mapping[str, Any]
    lead: Lead


def apply_leads(lines: Lines, mapping: LeadMapping, *, now: datetime) -> list[Result]:
    """Create and change the leads of ``lines``, in the caller's transaction.

    History is written as it happened and announced to nobody: no handoff, no clock, no mail. A lead
    that exists keeps its history; only fields that the file gives are changed.
    """
    check_leads(lines, mapping, _declared(mapping), now=now)
    refused = [*refusals("import_lead"), *_match(mapping)]
    known = _known()  # locked before companies are made, as by everybody who changes a lead
    made = _create(mapping, now)
    updated, changed = _update(mapping, known, now)
    if made or changed:
        lead_ids = [*(each.lead_id for each in made), *changed]
        leads_changed.send(sender=Lead, lead_ids=lead_ids, now=now)
    return [*refused, *made, *updated]


def _declared(mapping: LeadMapping) -> dict[str, LeadAttribute]:
    """Make the custom attributes that the mapping brings and return all; known ones stay."""
    LeadAttribute.objects.bulk_create(
        (
            LeadAttribute(
                name=each.name, label=each.label, type=each.type, is_by_sales=each.is_by_sales
            )
            for each in mapping.attributes
        ),
        ignore_conflicts=True,
    )
    return {each.name: each for each in LeadAttribute.objects.all()}


def _match(mapping: LeadMapping) -> list[Result]:
    """Tell new leads from known ones; return the lines whose address is another lead's."""
    create_table("import_match", _MATCH.format(system=Literal(mapping.system)))
    refused = fetch(_REFUSE)
    others = Lead.objects.in_bulk({other for *_, other in refused if other})
    column = mapping.fields.get("email", "email")
    results = []
    for pk, email, claimed, other in refused:
        if claimed:
            why = f"is on line {claimed} already, for another lead"
        else:
            why = f"belongs to another lead, {others[other].display_name}"
        results.append(Result(pk, RowResult.REFUSED, f"{column}: {email!r} {why}"))
    return results


def _create(mapping: LeadMapping, now: datetime) -> list[Result]:
    """Write the new leads with numbers, history and facts."""
    reserved = fetch(_RESERVE)
    if not reserved:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_new_leads(now))
        cursor.execute(_NUMBER, [mapping.system])
        cursor.execute(intervals_of_new_leads(RULE))
        cursor.execute(_new_facts())
    return [Result(row, RowResult.NEW, lead_id=lead) for row, lead in reserved]


def _new_leads(now: datetime) -> Composed:
    """Return the statement that writes the new leads, their companies found or made."""
    wanted = fetch(_WANTED)
    found = match_companies(
        wanted=[(f"@{domain}" if domain else None, name) for domain, name in wanted], now=now
    )
    return _CREATE.format(
        columns=SQL(", ").join(map(Identifier, FIELDS)),
        values=SQL(", ").join(Identifier("said", name) for name in FIELDS),
        now=Literal(now),
        domains=Literal([domain for domain, _ in wanted]),
        names=Literal([name for _, name in wanted]),
        firms=Literal(found),
    )


def _new_facts() -> Composed:
    texts = [
        SQL("({}, {}, NULL::jsonb)").format(Literal(name), Identifier("lead", name))
        for name in FACT_FIELDS
        if name != "attributes"
    ]
    return _RECORD.format(texts=SQL(", ").join(texts))


def _update(
    mapping: LeadMapping, known: Sequence[_Known], now: datetime
) -> tuple[list[Result], list[int]]:
    """Write what the file says differently of known leads.

    Returns:
        The result of each line, and the ids of the leads that were changed.
    """
    results = list[Result]()
    changed: list[tuple[Lead, list[str]]] = []
    for each in known:
        names = _change(each.lead, each.values)
        if names:
            changed.append((each.lead, names))
        result = RowResult.UPDATED if names else RowResult.UNCHANGED
        results.append(Result(each.row_id, result, lead_id=each.lead.pk))
    _number(mapping.system, known)
    _rematch([lead for lead, names in changed if {"email", "company_name"} & set(names)], now)
    written = sorted({name for _, names in changed for name in names} | {"company"})
    update_rows([lead for lead, _ in changed], written)
    LeadFact.objects.bulk_create(
        LeadFact(lead=lead, field=name, value=getattr(lead, name), recorded_at=now)
        for lead, names in changed
        for name in names
        if name in FACT_FIELDS
    )
    return results, [lead.pk for lead, _ in changed]


def _known() -> list[_Known]:
    """Return the lines about known leads in their order, the leads locked.

    Others wait, and are waited for: ``_update`` writes columns back as they are read here.
    """
    columns = SQL(", ").join(Identifier("said", name) for name in FIELDS)
    rows = fetch(_KNOWN.format(columns=columns))
    locked = Lead.objects.select_for_update(no_key=True).order_by("pk")
    leads = locked.in_bulk({lead for _, lead, *_ in rows})
    merged = Lead.objects.filter(merged_into__in=leads).exclude(email=None)
    former = set(merged.values_list("merged_into", "email"))
    return [
        _Known(pk, number, _without_former(_given(attributes, said), lead, former), leads[lead])
        for pk, lead, number, attributes, *said in rows
    ]


def _without_former(
    values: dict[str, Any], lead_id: int, former: Collection[tuple[int | None, str | None]]
) -> dict[str, Any]:
    """Leave out the address of a lead that was merged into this one: it is known by it already."""
    if (lead_id, values.get("email")) in former:
        del values["email"]
    return values


def _given(attributes: str | None, said: Sequence[Any]) -> dict[str, Any]:
    values = {name: value for name, value in zip(FIELDS, said, strict=True) if value}
    return values | ({"attributes": json.loads(attributes)} if attributes else {})


def _number(system: str, known: Sequence[_Known]) -> None:
    """Note the numbers that this source gives to known leads."""
    ExternalId.objects.bulk_create(
        (
            ExternalId(lead=each.lead, system=system, external_id=each.external_id)
            for each in known
            if each.external_id
        ),
        ignore_conflicts=True,
    )


def _change(lead: Lead, given: Mapping[str, Any]) -> list[str]:
    """Set what differs and return the names; attributes that the file leaves out stay."""
    values = dict(given)
    if "attributes" in values:
        merged = {**lead.attributes, **values["attributes"]}
        values["attributes"] = {name: said for name, said in merged.items() if said is not None}
    names = [name for name, value in values.items() if value and getattr(lead, name) != value]
    for name in names:
        setattr(lead, name, values[name])
    return names


def _rematch(leads: Sequence[Lead], now: datetime) -> None:
    wanted = [(lead.email, lead.company_name) for lead in leads]
    for lead, company_id in zip(leads, match_companies(wanted=wanted, now=now), strict=True):
        lead.company_id = company_id
