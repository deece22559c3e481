"""What tests of the import pages share: a file, the answers about it, and the addresses."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from leads.models import ImportJob

UPLOAD = "/leads/import/"
FILE = (
    b"Lead ID,E-Mail,Last name,Budget,Created at\n"
    b"1,a@x.example,Ardbeck,500,2026-05-01\n"
    b"2,b@x.example,Brail,many,2026-05-02\n"
    b"3,no address,Caron,Select,2026-05-03\n"
)
#: What a person chooses for FILE; the columns are fields by their place.
CHOICES = {
    "system": "fair",
    "zone": "Europe/Berlin",
    "placeholders": "Select\n",
    "key": "Lead ID",
    "created_at": "Created at",
    "created_at_format": "%Y-%m-%d",
    "column_1": "email",
    "column_2": "last_name",
    "column_3": "new.NUMBER",
}


def upload(client: Client, content: bytes = FILE, name: str = "fair.csv", **fields: Any) -> Any:
    """Send a file as the form does."""
    return client.post(
        UPLOAD, {"kind": "LEADS", "file": SimpleUploadedFile(name, content), **fields}
    )


def page(job: ImportJob, name: str = "import", **kwargs: Any) -> str:
    """Return the address of a page of ``job``."""
    return reverse(f"leads:{name}", kwargs={"job_id": job.pk, **kwargs})
