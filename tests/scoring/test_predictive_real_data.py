"""The predictive score on the public X Education data; skipped where it is not."""

from __future__ import annotations

import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from leads.models import LeadAttribute

DATA = Path(os.environ.get("BATON_DATA_DIR", settings.BASE_DIR.parent / "shared" / "data"))
MAPPING = settings.BASE_DIR / "examples" / "mappings" / "xeducation_leads.json"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.realdata,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not on this machine"),
]

#: What sales fills in after it has talked to the lead.
BY_SALES = {
    "Tags", "Lead Quality", "Lead Profile", "Asymmetrique Activity Index",
    "Asymmetrique Profile Index", "Asymmetrique Activity Score", "Asymmetrique Profile Score",
}  # fmt: skip


def train(*include: str) -> dict[str, Any]:
    out = StringIO()
    call_command(
        "train_predictive", target="converted", include=list(include), json=True, stdout=out
    )
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def test_x_education_is_predicted_without_what_sales_fills_in_which_is_named() -> None:
    file = str(DATA / "xeducation_leads.csv")
    call_command("import_leads", file, mapping=MAPPING, stdout=StringIO())
    told = train()
    assert (told["sample"]["leads"], told["sample"]["positives"]) == (9240, 3561)
    assert told["auc"] >= 0.87
    assert {leak["label"] for leak in told["leaks"]} == BY_SALES
    used = {column["label"] for column in told["formula"]["columns"]}
    assert not used & BY_SALES
    assert {"Seconds on the site", "Last activity", "Occupation"} <= used

    LeadAttribute.objects.update(is_by_sales=False)
    offered = train(*BY_SALES)
    assert {leak["label"] for leak in offered["leaks"]} == BY_SALES
    assert {leak["reason"] for leak in offered["leaks"] if leak["label"] == "Tags"} == {"TOO_GOOD"}
    assert all(leak["is_included"] for leak in offered["leaks"])
    assert offered["auc"] > 0.95
