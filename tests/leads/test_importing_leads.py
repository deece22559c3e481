"""Importing leads: what becomes of each line, history without side effects, nothing lost."""

from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.common.models import Notification, OutboxMessage
from handoff.models import Handoff
from leads.enums import ImportKind, ImportState, LifecycleStage
from leads.importing.jobs import ImportStarted, counts, create_job, run_job, run_step, start_import
from leads.models import ExternalId, ImportJob, Lead, LeadFact, StageInterval
from leads.signals import leads_changed, stage_changed
from tests.concurrency import side_by_side
from tests.factories import NOW, make_lead
from tests.leads.importing import HEADER, MAPPING, import_file, said, write

pytestmark = pytest.mark.django_db


def mapped(**changes: Any) -> dict[str, Any]:
    """Return the usual mapping with ``changes``."""
    return {**deepcopy(MAPPING), **changes}


def test_a_line_becomes_a_lead_with_its_first_stage(tmp_path: Path) -> None:
    job = import_file(write(tmp_path / "a.csv", "7,Ines@Kallweit.example,Kallweit,Fair,2026-05-01"))
    lead = Lead.objects.get()
    assert (lead.email, lead.last_name, lead.source) == (
        "ines@kallweit.example",
        "Kallweit",
        "fair",
    )
    assert lead.created_at == datetime(2026, 5, 1, tzinfo=UTC)
    assert lead.imported_at == NOW
    assert lead.company
    assert lead.company.domain == "kallweit.example"
    [interval] = lead.stage_intervals.all()
    assert (interval.stage, interval.started_at, interval.is_imported) == (
        "LEAD",
        lead.created_at,
        True,
    )
    assert ExternalId.objects.get().external_id == "7"
    assert set(LeadFact.objects.values_list("field", flat=True)) == {"email", "source"}
    assert (job.state, said(job)) == (ImportState.DONE, [(2, "NEW", "")])


def test_a_placeholder_is_no_answer(tmp_path: Path) -> None:
    import_file(write(tmp_path / "a.csv", "7,,Select,Select,2026-05-01"))
    lead = Lead.objects.get()
    assert (lead.email, lead.last_name, lead.source) == (None, "", "")


def test_spellings_of_a_source_are_one(tmp_path: Path) -> None:
    import_file(write(tmp_path / "a.csv", "1,,A,Google,2026-05-01", "2,,B,google,2026-05-01"))
    assert set(Lead.objects.values_list("source", flat=True)) == {"google"}


def test_importing_again_changes_what_the_file_gives_and_keeps_the_rest(tmp_path: Path) -> None:
    first = ["1,a@x.example,Ardbeck,fair,2026-05-01", "2,b@x.example,Brail,fair,2026-05-01"]
    import_file(write(tmp_path / "a.csv", *first))
    job = import_file(write(tmp_path / "b.csv", "1,,Ardbeg,,2026-05-01", first[1]))
    assert said(job) == [(2, "UPDATED", ""), (3, "UNCHANGED", "")]
    lead = Lead.objects.get(email="a@x.example")
    assert (lead.last_name, lead.source) == ("Ardbeg", "fair")
    assert Lead.objects.count() == 2


def test_a_known_address_is_the_same_lead(tmp_path: Path) -> None:
    import_file(write(tmp_path / "a.csv", "1,a@x.example,Ardbeck,fair,2026-05-01"))
    other = mapped(system="shop")
    job = import_file(write(tmp_path / "b.csv", "9,a@x.example,Ardbeck,fair,2026-05-01"), other)
    assert said(job) == [(2, "UNCHANGED", "")]
    assert set(ExternalId.objects.values_list("system", flat=True)) == {"fair", "shop"}


def test_an_address_of_another_lead_is_refused(tmp_path: Path) -> None:
    lines = ["1,a@x.example,Ardbeck,fair,2026-05-01", "2,a@x.example,Brail,fair,2026-05-01"]
    job = import_file(write(tmp_path / "a.csv", *lines))
    assert said(job)[1] == (
        3,
        "REFUSED",
        "mail: 'a@x.example' is on line 2 already, for another lead",
    )
    again = import_file(write(tmp_path / "b.csv", lines[1]))
    assert said(again) == [(2, "REFUSED", "mail: 'a@x.example' belongs to another lead, Ardbeck")]


def test_the_second_line_with_a_number_is_a_duplicate(tmp_path: Path) -> None:
    lines = ["1,,A,fair,2026-05-01", "2,,B,fair,2026-05-01", "1,,C,fair,2026-05-01"]
    job = import_file(write(tmp_path / "a.csv", *lines))
    assert said(job)[2] == (4, "DUPLICATE", "number: '1' is on line 2 already")
    assert set(Lead.objects.values_list("last_name", flat=True)) == {"A", "B"}


HISTORY = mapped(
    history=[
        {"stage": "MQL", "at": {"column": "mql", "format": "%d.%m.%Y %H:%M"}},
        {
            "stage": "WON",
            "at": {"column": "won", "format": "%d.%m.%Y %H:%M"},
            "when": {"column": "result", "is": ["yes"]},
            "implied": True,
        },
    ],
    timezone="Europe/Berlin",
)
HISTORY_HEADER = f"{HEADER},mql,won,result"


def test_the_longest_key_repeats_as_well(tmp_path: Path) -> None:
    key, column = "'" * 200, "n" * 200
    lines = [f"{key},,A,fair,2026-05-01"] * 2
    path = write(tmp_path / "a.csv", *lines, header=HEADER.replace("number", column))
    job = import_file(path, mapped(key=column))
    assert [result for _, result, _ in said(job)] == ["NEW", "DUPLICATE"]


def test_past_stages_are_written_as_they_happened(tmp_path: Path) -> None:
    line = "1,a@x.example,A,fair,2026-03-01,02.03.2026 10:00,29.03.2026 12:00,yes"
    import_file(write(tmp_path / "a.csv", line, header=HISTORY_HEADER), HISTORY)
    lead = Lead.objects.get()
    assert (lead.stage, lead.stage_since) == ("WON", datetime(2026, 3, 29, 10, 0, tzinfo=UTC))
    assert list(
        StageInterval.objects.order_by("sequence").values_list("stage", "started_at", "is_override")
    ) == [
        ("LEAD", datetime(2026, 2, 28, 23, 0, tzinfo=UTC), False),
        ("MQL", datetime(2026, 3, 2, 9, 0, tzinfo=UTC), False),
        ("WON", datetime(2026, 3, 29, 10, 0, tzinfo=UTC), True),
    ]


def test_the_past_has_no_side_effects(tmp_path: Path) -> None:
    announced: list[str] = []

    def listen(**_: object) -> None:
        announced.append("stage")

    stage_changed.connect(listen)
    try:
        line = "1,a@x.example,A,fair,2026-03-01,02.03.2026 10:00,,no"
        import_file(write(tmp_path / "a.csv", line, header=HISTORY_HEADER), HISTORY)
    finally:
        stage_changed.disconnect(listen)
    assert Lead.objects.get().stage == LifecycleStage.MQL
    assert announced == []
    assert not Handoff.objects.exists()
    assert not Notification.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_changed_leads_are_announced_once_for_a_chunk(tmp_path: Path) -> None:
    announced: list[list[int]] = []

    def listen(lead_ids: list[int], **_: object) -> None:
        announced.append(lead_ids)

    leads_changed.connect(listen)
    try:
        import_file(write(tmp_path / "a.csv", *(f"{n},,A{n},fair,2026-03-01" for n in range(5))))
    finally:
        leads_changed.disconnect(listen)
    assert [sorted(ids) for ids in announced] == [sorted(Lead.objects.values_list("pk", flat=True))]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,a@,A,fair,2026-03-01", "mail: 'a@' is not an e-mail address"),
        ("1,,A,fair,01.03.2026", "seen: '01.03.2026' is no date of the form %Y-%m-%d"),
        ("1,,A,fair,2026-02-30", "seen: '2026-02-30' is no date of the form %Y-%m-%d"),
        ("1,,A,fair,2027-01-01", "seen: '2027-01-01' lies in the future"),
        ("1,,A,fair,0001-01-01", "seen: '0001-01-01' lies before 1900"),
        ("1,,A,fair,", "seen: is empty, so it is not known when the lead was captured"),
        (",,A,fair,2026-03-01", "number: is empty, so the line cannot be told from others"),
        (
            '1,,"=HYPERLINK(""x"")",fair,2026-03-01',
            "name: '=HYPERLINK(\"x\")' begins like a formula",
        ),
        ("1,,@SUM(A1),fair,2026-03-01", "name: '@SUM(A1)' begins like a formula"),
        ("1,,\uff1d1,fair,2026-03-01", "name: '\uff1d1' begins like a formula"),
        ("1,,\uff20SUM(A1),fair,2026-03-01", "name: '\uff20SUM(A1)' begins like a formula"),
        ("1,,A\x00B,fair,2026-03-01", "name: holds a NUL character"),
        ("1,,A,fair", "has 4 cells where the header names 5 columns"),
        ("1,,A,fair,2026-03-01,x", "has 6 cells where the header names 5 columns"),
        (f"1,,{'A' * 30_000},fair,2026-03-01", "name: 30,000 characters; 20,000 is the most"),
        (f"1,,{'A' * 200},fair,2026-03-01", "name: is longer than 100 characters"),
        (f"{'1' * 201},,A,fair,2026-03-01", "number: is longer than 200 characters"),
    ],
)
def test_a_bad_line_is_refused_by_name_and_the_others_are_taken(
    tmp_path: Path, line: str, problem: str
) -> None:
    good = ["8,,Good,fair,2026-03-01", "9,,Better,fair,2026-03-01"]
    job = import_file(write(tmp_path / "a.csv", good[0], line, good[1]))
    assert said(job) == [(2, "NEW", ""), (3, "REFUSED", problem), (4, "NEW", "")]
    assert Lead.objects.count() == 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,,A,fair,2026-03-02,01.03.2026 10:00,,no",
         "mql: MQL on 2026-03-01 09:00 would come before Lead on 2026-03-01 23:00"),
        ("1,,A,fair,2026-03-01,,,no", "mql: is empty, but the lead became MQL"),
        ("1,,A,fair,2026-03-01,02.03.2026 10:00,,yes", "won: is empty, but the lead became Won"),
    ],
)  # fmt: skip
def test_a_history_that_cannot_be_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    job = import_file(write(tmp_path / "a.csv", line, header=HISTORY_HEADER), HISTORY)
    assert said(job) == [(2, "REFUSED", problem)]
    assert not Lead.objects.exists()


def test_a_jump_that_the_mapping_does_not_imply_is_refused(tmp_path: Path) -> None:
    strict = deepcopy(HISTORY)
    del strict["history"][1]["implied"]
    line = "1,,A,fair,2026-03-01,02.03.2026 10:00,03.03.2026 10:00,yes"
    job = import_file(write(tmp_path / "a.csv", line, header=HISTORY_HEADER), strict)
    assert said(job) == [(2, "REFUSED", "result: MQL to Won is not allowed")]


def test_a_known_lead_does_not_take_the_address_of_another(tmp_path: Path) -> None:
    known = ["1,a@x.example,A,fair,2026-03-01", "2,b@x.example,B,fair,2026-03-01"]
    import_file(write(tmp_path / "a.csv", *known))
    lines = ["1,b@x.example,Anew,fair,2026-03-01", "2,b@x.example,Bnew,fair,2026-03-01"]
    job = import_file(write(tmp_path / "b.csv", *lines))
    why = "mail: 'b@x.example' belongs to another lead, B"
    assert said(job) == [(2, "REFUSED", why), (3, "UPDATED", "")]
    assert set(Lead.objects.values_list("email", "last_name")) == {
        ("a@x.example", "A"),
        ("b@x.example", "Bnew"),
    }


def test_a_header_alone_imports_nothing_and_is_done(tmp_path: Path) -> None:
    job = import_file(write(tmp_path / "a.csv"))
    assert (job.state, job.line_count) == (ImportState.DONE, 0)


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("utf-16", ";"), ("cp1252", "\t")]
)
def test_other_encodings_and_delimiters_are_read(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "a.csv"
    text = f"{HEADER}\n1,,Müller,fair,2026-03-01\n".replace(",", delimiter)
    path.write_bytes(text.encode(encoding))
    import_file(path, mapped(encoding=encoding.removesuffix("-sig")))
    assert Lead.objects.get().last_name == "Müller"


def test_a_cell_may_hold_line_ends_and_lines_keep_their_numbers(tmp_path: Path) -> None:
    lines = ['1,,"A\nB",fair,2026-03-01', "2,a@,C,fair,2026-03-01"]
    job = import_file(write(tmp_path / "a.csv", *lines))
    assert [(line, result) for line, result, _ in said(job)] == [(2, "NEW"), (4, "REFUSED")]


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "1,a@x.example,A,fair,2026-03-01", "2,b@,B,fair,2026-03-01")
    dry = import_file(path, is_dry_run=True)
    assert not Lead.objects.exists()
    start_import(job_id=dry.pk)
    wet = run_job(job_id=dry.pk, now=NOW)
    assert said(wet) == [(2, "NEW", ""), (3, "REFUSED", "mail: 'b@' is not an e-mail address")]
    assert Lead.objects.count() == 1
    with pytest.raises(ImportStarted):
        start_import(job_id=dry.pk)


def test_every_line_ends_as_exactly_one_thing(tmp_path: Path) -> None:
    lines = [
        "1,,A,f,2026-03-01",
        "1,,A,f,2026-03-01",
        "2,b@,B,f,2026-03-01",
        "3",
        "4,,D,f,2026-03-01",
    ]
    job = import_file(write(tmp_path / "a.csv", *lines))
    assert counts(job) == {
        "NEW": 2, "UPDATED": 0, "UNCHANGED": 0, "DUPLICATE": 1, "REFUSED": 2, "PENDING": 0
    }  # fmt: skip
    assert sum(counts(job).values()) == job.line_count == 5


def test_an_import_that_stops_between_chunks_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leads.importing.sql.lines.CHUNK", 2)
    path = write(tmp_path / "a.csv", *(f"{n},,A{n},fair,2026-03-01" for n in range(5)))
    job = create_job(kind=ImportKind.LEADS, path=path, now=NOW, mapping=MAPPING, is_dry_run=False)
    assert run_step(job_id=job.pk, now=NOW)  # staged
    assert run_step(job_id=job.pk, now=NOW)  # first chunk
    assert Lead.objects.count() == 2
    job = run_job(job_id=job.pk, now=NOW)
    assert (job.state, Lead.objects.count()) == (ImportState.DONE, 5)


def test_a_chunk_costs_the_same_number_of_queries_whatever_its_size(tmp_path: Path) -> None:
    def queries(lines: int, name: str) -> int:
        rows = (f"{name}{n},{name}{n}@x.example,A{n},fair,2026-03-01" for n in range(lines))
        path = write(tmp_path / f"{name}.csv", *rows)
        with CaptureQueriesContext(connection) as captured:
            import_file(path)
        return len(captured)

    queries(1, "w")
    assert queries(3, "a") == queries(30, "b")


def test_a_finished_job_is_left_alone(tmp_path: Path) -> None:
    job = import_file(write(tmp_path / "a.csv", "1,,A,fair,2026-03-01"))
    assert not run_step(job_id=job.pk, now=NOW)
    assert ImportJob.objects.get().state == ImportState.DONE


@pytest.mark.django_db(transaction=True)
def test_a_chunk_that_meets_another_writer_looks_again(tmp_path: Path) -> None:
    intruders: list[object] = []

    def intrude(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Let somebody else write the same lead once this chunk believes that it is new."""
        if "nextval" in sql and not intruders:
            intruders.extend(side_by_side(lambda: make_lead(email="a@x.example")))
        return execute(sql, params, many, context)

    path = write(tmp_path / "a.csv", "1,a@x.example,Ardbeck,fair,2026-05-01")
    with connection.execute_wrapper(intrude):
        job = import_file(path)

    assert isinstance(intruders[0], Lead)
    assert (job.state, said(job)) == (ImportState.DONE, [(2, "UPDATED", "")])
    assert Lead.objects.get().last_name == "Ardbeck"
