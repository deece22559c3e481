"""The mapping page: what it refuses, and the parts that it shows as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crm.accounts.enums import Role
from leads.enums import ImportState
from leads.models import ImportJob
from tests.factories import client_of, make_user
from tests.leads.import_pages import CHOICES, page, upload
from tests.leads.importing import MAPPING

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    """Keep uploads in the test's own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def client() -> Client:
    """Return a marketer's browser."""
    return client_of(make_user(Role.MARKETER))


HISTORY = [{"stage": "MQL", "at": {"column": "seen", "format": "%Y-%m-%d"}}]
PARTS = {"history": HISTORY, "values": {"name": {"A": "B"}}, "constants": {"medium": "fair"}}


@pytest.fixture
def mapped_job(client: Client) -> ImportJob:
    """Return the draft of a file that came with its mapping."""
    content = b"number,mail,name,source,seen\n7,a@x.example,A,fair,2026-05-01\n"
    mapping = json.dumps({**MAPPING, **PARTS}).encode()
    upload(client, content, mapping=SimpleUploadedFile("m.json", mapping))
    return ImportJob.objects.get()


def as_shown(client: Client, job: ImportJob) -> dict[str, Any]:
    """Return what the mapping page of ``job`` would send if nothing were changed."""
    form = client.get(page(job, "import_mapping")).context["form"]
    said = {name: form[name].value() for name in form.fields}
    return {name: value or "" for name, value in said.items()}


def test_past_stages_spellings_and_fixed_values_are_kept(
    client: Client, mapped_job: ImportJob
) -> None:
    said = as_shown(client, mapped_job)
    assert json.loads(said["parts"]) == PARTS

    client.post(page(mapped_job, "import_mapping"), said)

    mapped_job.refresh_from_db()
    assert mapped_job.mapping == {**MAPPING, **PARTS, "timezone": "UTC", "attributes": {}}


def test_past_stages_spellings_and_fixed_values_are_changed(
    client: Client, mapped_job: ImportJob
) -> None:
    parts = {"constants": {"campaign": "spring"}}
    said = {**as_shown(client, mapped_job), "parts": json.dumps(parts)}

    client.post(page(mapped_job, "import_mapping"), said)

    mapped_job.refresh_from_db()
    assert mapped_job.mapping == {**MAPPING, **parts, "timezone": "UTC", "attributes": {}}


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ("{", "This is not JSON"),
        ("[" * 50_000, "This is not JSON"),
        ("[1]", "This needs an object, such as {}."),
        ('{"fields": {}}', "fields is not known here."),
        ('{"history": {}}', "history needs a list."),
        ('{"values": []}', "values needs an object."),
        ('{"constants": {"email": 1}}', "needs a text"),
        ('{"constants": {"shoe": "44"}}', "is no lead field"),
        ('{"history": [{"stage": "GREEN", "at": {"otherwise": "import"}}]}', "is no stage"),
        ('{"history": [1]}', "needs an object"),
        ('{"values": {"name": {"a": "\\u0000"}}}', "a character that is no text"),
        ("\x00", "Null characters are not allowed."),
    ],
)
def test_parts_that_cannot_be_used_are_refused_with_words(
    client: Client, mapped_job: ImportJob, parts: str, sentence: str
) -> None:
    said = {**as_shown(client, mapped_job), "parts": parts}
    answer = client.post(page(mapped_job, "import_mapping"), said)
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert sentence in " ".join([*errors.get("parts", []), *errors.get("__all__", [])])


def mapped(client: Client, job: ImportJob, **changes: str) -> Any:
    """Answer the mapping form with ``changes``."""
    return client.post(page(job, "import_mapping"), {**CHOICES, **changes})


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"system": ""}, "system", "This field is required."),
        ({"key": "", "column_1": ""}, "key", "what makes a row the same lead again"),
        ({"created_at_format": ""}, "created_at_format", "must say how the column writes time"),
        ({"column_2": "email"}, "column_2", "E-Mail is this already."),
        ({"column_2": "password"}, "column_2", "Select a valid choice"),
        ({"key": "Nowhere"}, "key", "Select a valid choice"),
        ({"zone": "Mars"}, "zone", "Select a valid choice"),
        ({"placeholders": "a\x00"}, "placeholders", "Null characters are not allowed."),
    ],
)
def test_a_refused_mapping_says_so_beside_the_field(
    client: Client, changes: dict[str, str], field: str, sentence: str
) -> None:
    upload(client)
    job = ImportJob.objects.get()
    answer = mapped(client, job, **changes)
    assert answer.status_code == 422
    assert sentence in " ".join(answer.context["form"].errors[field])
    job.refresh_from_db()
    assert job.state == ImportState.DRAFT
