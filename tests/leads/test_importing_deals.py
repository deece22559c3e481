"""Importing deals: true dates kept, contradictions flagged, every deal counted once."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crm.accounts.models import User
from handoff.models import Handoff
from leads.enums import ImportKind
from leads.importing.jobs import create_job
from leads.importing.mapping import MappingInvalid
from leads.importing.rows import LONGEST_KEY, LONGEST_NAME
from leads.models import Deal, ExternalId, ImportJob, Lead
from tests.factories import NOW
from tests.leads.importing import MAPPING, import_file, said, write

pytestmark = pytest.mark.django_db

DEALS: dict[str, Any] = {
    "system": "fair",
    "key": "deal",
    "lead": "number",
    "outcome": {"column": "result", "won": ["won"], "lost": ["lost"]},
    "closed_at": {
        "column": "closed",
        "format": "%Y-%m-%d %H:%M",
        "date_only_at_midnight_of": "America/Sao_Paulo",
    },
    "value": "value",
    "currency": "EUR",
    "owner": {"column": "rep", "create": True},
}
HEADER = "deal,number,result,closed,value,rep"
LEADS = {
    **MAPPING,
    "history": [{"stage": "MQL", "at": {"column": "seen", "format": "%Y-%m-%d"}}],
}


@pytest.fixture
def lead(tmp_path: Path) -> Lead:
    """An imported MQL of 1 March."""
    import_file(write(tmp_path / "leads.csv", "1,a@x.example,A,fair,2026-03-01"), LEADS)
    return Lead.objects.get()


def import_deals(tmp_path: Path, *lines: str) -> ImportJob:
    """Import ``lines`` of deals."""
    path = write(tmp_path / "deals.csv", *lines, header=HEADER)
    return import_file(path, DEALS, kind=ImportKind.DEALS)


def test_a_won_deal_ends_the_history_on_its_day(lead: Lead, tmp_path: Path) -> None:
    job = import_deals(tmp_path, "d1,1,won,2026-04-02 10:00,1200.50,Maj Solheim")
    deal = Deal.objects.get()
    assert (deal.outcome, deal.value, deal.currency, deal.flag) == (
        "WON",
        Decimal("1200.50"),
        "EUR",
        "",
    )
    lead.refresh_from_db()
    assert (lead.stage, lead.stage_since) == ("WON", datetime(2026, 4, 2, 10, 0, tzinfo=UTC))
    last = lead.stage_intervals.current().get()
    assert (last.is_override, last.reason) == (
        True,
        "Imported: the stages between were not recorded",
    )
    assert not Handoff.objects.exists()
    assert said(job) == [(2, "NEW", "")]


def test_a_rep_made_by_an_import_can_neither_log_in_nor_get_work(
    lead: Lead, tmp_path: Path
) -> None:
    import_deals(tmp_path, "d1,1,won,2026-04-02 10:00,1,Maj Solheim")
    rep = User.objects.get()
    assert (rep.full_name, rep.is_active, rep.has_usable_password()) == (
        "Maj Solheim",
        False,
        False,
    )
    assert Deal.objects.get().owner == rep
    assert rep not in User.objects.reps()


def test_a_deal_won_before_its_lead_was_captured_keeps_its_date_and_is_flagged(
    lead: Lead, tmp_path: Path
) -> None:
    import_deals(tmp_path, "d1,1,won,2026-02-20 10:00,1,")
    deal = Deal.objects.get()
    assert deal.closed_at == datetime(2026, 2, 20, 10, 0, tzinfo=UTC)
    assert deal.flag == "Closed on 2026-02-20, before the lead became MQL"
    lead.refresh_from_db()
    assert (lead.stage, lead.stage_since) == ("WON", datetime(2026, 3, 1, tzinfo=UTC))
    assert lead.stage_intervals.current().get().reason.startswith(deal.flag)


def test_midnight_of_the_zone_of_dates_is_kept_as_a_mere_date(lead: Lead, tmp_path: Path) -> None:
    import_deals(tmp_path, "d1,1,won,2026-04-02 03:00,1,")  # midnight in Sao Paulo
    assert Deal.objects.get().attributes == {"closed_at_is_a_date": "yes"}


def test_a_deal_is_counted_once_however_often_it_is_imported(lead: Lead, tmp_path: Path) -> None:
    line = "d1,1,won,2026-04-02 10:00,1,Maj Solheim"
    assert said(import_deals(tmp_path, line, line))[1] == (
        3,
        "DUPLICATE",
        "deal: 'd1' is on line 2 already",
    )
    assert said(import_deals(tmp_path, line)) == [(2, "UNCHANGED", "")]
    assert Deal.objects.count() == 1
    assert User.objects.count() == 1


def test_a_second_deal_of_a_won_lead_is_kept_and_flagged(lead: Lead, tmp_path: Path) -> None:
    lines = ["d1,1,won,2026-04-02 10:00,1,", "d2,1,lost,2026-04-03 10:00,1,"]
    job = import_deals(tmp_path, *lines)
    assert said(job)[1] == (3, "NEW", "The lead was Won already")
    assert Deal.objects.count() == 2
    assert lead.stage_intervals.count() == 3


@pytest.mark.parametrize(
    ("line", "result", "problem"),
    [
        ("d1,9,won,2026-04-02 10:00,1,", "REFUSED", "number: there is no lead '9'"),
        ("d1,1,won,,1,", "REFUSED", "closed: is empty, but the deal is Won"),
        (
            "d1,1,won,2026-04-02 10:00,much,",
            "REFUSED",
            "value: 'much' is no amount such as 1234.50",
        ),
        ("d1,1,won,2026-04-02 10:00,NaN,", "REFUSED", "value: 'NaN' is no amount such as 1234.50"),
        (
            "d1,1,won,2026-04-02 10:00,1e1000000,",
            "REFUSED",
            "value: '1e1000000' is no amount such as 1234.50",
        ),
        (
            "d1,1,won,2026-04-02 10:00,999999999999.999,",
            "REFUSED",
            "value: '999999999999.999' is no amount such as 1234.50",
        ),
        (",1,won,2026-04-02 10:00,1,", "REFUSED", "deal: is empty"),
        (
            f"{'d' * 201},1,won,2026-04-02 10:00,1,",
            "REFUSED",
            "deal: is longer than 200 characters",
        ),
        (
            f"d1,1,won,2026-04-02 10:00,1,{'M' * 151}",
            "REFUSED",
            "rep: is longer than 150 characters",
        ),
        ("d1,1,talking,,,", "UNCHANGED", "The deal is still open"),
    ],
)
def test_lines_that_are_no_ended_deal_say_so(
    lead: Lead, tmp_path: Path, line: str, result: str, problem: str
) -> None:
    assert said(import_deals(tmp_path, line)) == [(2, result, problem)]
    assert not Deal.objects.exists()


def test_a_product_that_is_too_long_is_refused_and_an_amount_rounds_half_up(
    lead: Lead, tmp_path: Path
) -> None:
    line = "d{0},1,won,2026-04-02 10:00,10.125,,{1}"
    path = write(
        tmp_path / "deals.csv",
        line.format(1, "P" * 151),
        line.format(2, "P" * 150),
        header=f"{HEADER},product",
    )
    job = import_file(path, {**DEALS, "product": "product"}, kind=ImportKind.DEALS)

    assert said(job) == [
        (2, "REFUSED", "product: is longer than 150 characters"),
        (3, "NEW", ""),
    ]
    assert Deal.objects.get().value == Decimal("10.13")


def test_the_lengths_that_lines_may_have_are_those_of_the_database() -> None:
    lengths = {
        (field.model, field.name): field.max_length
        for model in (Deal, ExternalId, User)
        for field in model._meta.fields
    }
    keys = (lengths[Deal, "external_id"], lengths[ExternalId, "external_id"])
    names = (lengths[Deal, "owner_name"], lengths[Deal, "product"], lengths[User, "full_name"])

    assert (keys, names) == ((LONGEST_KEY,) * 2, (LONGEST_NAME,) * 3)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], ("mapping", "needs an object")),
        ({**MAPPING, "keys": 1}, ("keys", "is not known here")),
        ({**MAPPING, "fields": {"nme": "name"}}, ("fields.nme", "is no lead field")),
        ({**MAPPING, "timezone": "Mars/Olympus"}, ("created_at.timezone", "is no time zone")),
        ({**MAPPING, "created_at": {"column": "seen"}}, ("created_at.format", "must say how")),
        ({**MAPPING, "encoding": "ebcdic"}, ("encoding", "must be one of utf-8")),
        ({**MAPPING, "history": [{"stage": "CUSTOMER", "at": {"otherwise": "import"}}]},
         ("history[0].stage", "'CUSTOMER' is no stage; there are LEAD, MQL")),
        ({**MAPPING, "attributes": {"size": {"type": "BLOB"}}},
         ("attributes.size.type", "must be TEXT, NUMBER, BOOLEAN or DATE")),
        ({**MAPPING, "attributes": {f"a{number}": {} for number in range(101)}},
         ("attributes", "declares 101; 100 are the most")),
        ({**MAPPING, "key": "", "fields": {"source": "source"}}, ("key", "or fields.email must")),
        ({**MAPPING, "system": 7}, ("system", "needs a text")),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_used_is_refused_by_path(
    tmp_path: Path, document: Any, problem: tuple[str, str]
) -> None:
    path = write(tmp_path / "a.csv")
    with pytest.raises(MappingInvalid) as caught:
        create_job(kind=ImportKind.LEADS, path=path, now=NOW, mapping=document)
    where, words = problem
    assert any(at == where and words in sentence for at, sentence in caught.value.problems)
    assert not ImportJob.objects.exists()
