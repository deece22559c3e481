"""Numbers of files that write a comma before decimals."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from leads.enums import ImportKind
from leads.importing.rows import Refused, with_point
from leads.models import Deal, Lead
from tests.leads.importing import MAPPING, import_file, said, write

WITH_COMMA: dict[str, Any] = {
    **MAPPING,
    "decimal": ",",
    "attributes": {"budget": {"type": "NUMBER"}},
    "fields": {"email": "mail", "attributes.budget": "budget"},
}
DEALS: dict[str, Any] = {
    "system": "fair",
    "key": "deal",
    "lead": "number",
    "decimal": ",",
    "outcome": {"constant": "WON"},
    "closed_at": {"otherwise": "import"},
    "value": "value",
}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.200", "1200"), ("1.200,50", "1200.50"), ("1 200,50", "1200.50"), ("1200,5", "1200.5"),
        ("-1.234.567,8", "-1234567.8"), ("+7", "+7"), ("\u00a012", "12"),
    ],
)  # fmt: skip
def test_a_comma_stands_before_decimals_and_points_between_thousands(
    text: str, number: str
) -> None:
    assert with_point(text, ",") == number


@pytest.mark.parametrize(
    "text", ["1.2", "1200.50", "1.20,5", "1,200.50", "1,2,3", ".5", "12.3456", "\u0661", "1e3"]
)
def test_what_could_be_either_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"is no number such as 1\.200,50"):
        with_point(text, ",")


@pytest.mark.django_db
def test_numbers_of_leads_and_deals_are_read_with_a_comma(tmp_path: Path) -> None:
    lines = ["1,a@x.example,1.200,2026-03-01", "2,b@x.example,1.2,2026-03-01"]
    lines = [line.replace(",", ";") for line in lines]
    path = write(tmp_path / "leads.csv", *lines, header="number;mail;budget;seen")
    leads = import_file(path, WITH_COMMA)
    path = write(tmp_path / "deals.csv", "d;1;1.200,50", "e;1;1.2", header="deal;number;value")
    deals = import_file(path, DEALS, kind=ImportKind.DEALS)

    assert Lead.objects.get().attributes == {"budget": 1200}
    assert said(leads)[1] == (3, "REFUSED", "budget: '1.2' is no number such as 1.200,50")
    assert Deal.objects.get().value == Decimal("1200.50")
    assert said(deals)[1] == (3, "REFUSED", "value: '1.2' is no number such as 1.200,50")
