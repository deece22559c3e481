"""An import and a person at once, on real connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from leads.models import Lead
from leads.services import update_lead
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import NOW, make_lead
from tests.leads.importing import MAPPING, import_file, write

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = "+493023125418"
MAPPED: dict[str, Any] = {**MAPPING, "fields": {**MAPPING["fields"], "phone": "phone"}}


def test_what_a_person_changes_during_an_import_is_kept(tmp_path: Path) -> None:
    """Red when leads are read without a lock: the phone is as empty again as it was read.

    The file says nothing of it, but gives one to another lead, and columns are written for all.
    """
    ada, ben = make_lead(email="ada@x.example"), make_lead(email="ben@x.example")
    path = write(
        tmp_path / "a.csv",
        "1,ada@x.example,Ardbeck,,2026-05-01,",
        "2,ben@x.example,Brail,,2026-05-01,+493023125419",
        header="number,mail,name,source,seen,phone",
    )

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            update_lead(lead_id=ada.pk, now=NOW, phone=PHONE)
            importing = in_thread(pool, lambda: import_file(path, MAPPED))
            wait_until_blocked(importing)
        importing.result(20)

    said = Lead.objects.order_by("pk").values_list("pk", "last_name", "phone")
    assert list(said) == [(ada.pk, "Ardbeck", PHONE), (ben.pk, "Brail", "+493023125419")]
