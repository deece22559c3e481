"""Indexes cost every row that is written, so none is there twice."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

pytestmark = pytest.mark.django_db

#: Plain indexes whose columns another plain one begins with.
COVERED = """
    WITH plain AS (
        SELECT indrelid, indexrelid, indisunique,
            array_to_string(indkey::int2[], ' ') || ' ' AS columns,
            array_to_string(indclass::oid[], ' ') || ' ' AS classes
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE indpred IS NULL AND indexprs IS NULL AND relam = (
            SELECT oid FROM pg_am WHERE amname = 'btree'
        )
    )
    SELECT one.indexrelid::regclass::text FROM plain AS one JOIN plain AS other
        ON other.indrelid = one.indrelid AND other.indexrelid <> one.indexrelid
    WHERE NOT one.indisunique AND one.indrelid::regclass::text = ANY(%s)
        AND starts_with(other.columns, one.columns) AND starts_with(other.classes, one.classes)
"""


def covered() -> list[str]:
    own = [
        model._meta.db_table
        for model in apps.get_models()
        if model.__module__.split(".")[0] in {"crm", "leads", "engagement", "scoring", "handoff"}
    ]
    with connection.cursor() as cursor:
        cursor.execute(COVERED, [own])
        return [name for (name,) in cursor.fetchall()]


def test_no_index_is_the_beginning_of_another() -> None:
    assert covered() == []


def test_an_index_that_another_covers_is_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX touch_of_handoff ON handoff_touch (handoff_id)")

    assert covered() == ["touch_of_handoff"]
