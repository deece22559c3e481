from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from engagement.json_reading import LARGEST
from engagement.models import Event, EventKey, InboxMessage
from engagement.services import read_lines, receive
from leads.models import Lead

pytestmark = pytest.mark.django_db


def page(message_id: str | None = None, **body: Any) -> bytes:
    message = {
        "type": "page",
        "anonymousId": "laptop",
        "timestamp": "2024-02-03T10:00:00Z",
        **({"messageId": message_id} if message_id else {}),
        **body,
    }
    return json.dumps(message).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.ndjson"


def run(file: Path, **options: Any) -> tuple[str, list[str]]:
    """Return what the command said and the lines it refused."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_events", file, stdout=out, stderr=err, **options)
    return out.getvalue().strip(), err.getvalue().splitlines()


def test_a_file_is_imported_and_what_is_wrong_is_named_by_line_and_field(file: Path) -> None:
    identify = page("m-2", type="identify", traits={"email": "ada@example.com"})
    lines = [
        page("m-1"),
        identify,
        b"{broken",
        b"",
        page("m-3", timestamp="yesterday"),
        page("m-1"),
        page(type="track", event="Demo Requested"),
    ]
    file.write_bytes(b"\r\n".join(lines))
    refused = file.with_name("refused.ndjson")

    said, complaints = run(file, source="site", refused=refused)

    assert said == "3 accepted, 1 duplicate, 2 refused"
    assert complaints == [
        "line 3: not_json: is not JSON: Expecting property name enclosed in double quotes at 1",
        "line 5: time_invalid: timestamp is no time such as 2026-05-31T09:30:00Z",
    ]
    assert refused.read_bytes() == b"{broken\r\n" + lines[4] + b"\r\n"
    assert set(Event.objects.values_list("kind", "lead__email")) == {
        ("PAGE_VIEW", "ada@example.com"),
        ("IDENTIFY", "ada@example.com"),
        ("DEMO_REQUEST", "ada@example.com"),
    }
    assert set(EventKey.objects.values_list("source", flat=True)) == {"site"}
    assert Lead.objects.get().created_at == datetime(2024, 2, 3, 10, 0, tzinfo=UTC)


def test_the_example_of_the_guide_is_taken_as_it_says(file: Path) -> None:
    guide = (settings.BASE_DIR / "docs" / "importing.md").read_text()
    lines = [line for line in guide.splitlines() if line.startswith('{"type":')]
    file.write_text("\n".join(lines))

    assert run(file)[0] == "3 accepted, 0 duplicate, 0 refused"
    assert set(Event.objects.values_list("kind", "lead__email")) == {
        ("IDENTIFY", "ada@engine.example"),
        ("PAGE_VIEW", "ada@engine.example"),
        ("DEMO_REQUEST", None),
    }


def test_the_same_file_again_adds_nothing_even_without_message_ids(file: Path) -> None:
    file.write_bytes(b"\n".join([page("m-1"), page(), page()]))

    first, again = run(file)[0], run(file)[0]

    assert first == "3 accepted, 0 duplicate, 0 refused"
    assert again == "0 accepted, 3 duplicate, 0 refused"
    assert Event.objects.count() == 3


def test_messages_that_an_import_left_in_the_inbox_are_not_taken_twice(file: Path) -> None:
    file.write_bytes(b"\n".join([page("m-1"), page("m-2")]))
    now = datetime(2026, 11, 21, tzinfo=UTC)
    receive(source="import", messages=[json.loads(page("m-1"))], received_at=now)

    said, _ = run(file)

    assert said == "1 accepted, 1 duplicate, 0 refused"
    assert Event.objects.count() == 2
    assert not InboxMessage.objects.exists()


def test_a_dry_run_says_the_same_and_writes_nothing(file: Path) -> None:
    file.write_bytes(b"\n".join([page("m-1"), page("m-2"), page("m-1"), b"[]"]))

    said, complaints = run(file, dry_run=True)

    assert said == "2 would be accepted, 1 duplicate, 1 refused"
    assert complaints == ["line 4: not_an_object: is not a JSON object"]
    assert not Event.objects.exists()
    assert not InboxMessage.objects.exists()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'{"a": "' + b"x" * 100_000 + b'"}', "too_large: is longer than 32768 bytes"),
        (page("m" * 201), "id_too_long: messageId is longer than 200 characters"),
        (page(messageId=[1]), "id_invalid: messageId is neither text nor a whole number"),
        (page(userId="\x00"), "not_text: userId holds NUL or half of a character"),
        (b"\xff\xfe", "not_utf8: is not UTF-8 at byte 0"),
        (b"\x00", "not_json: is not JSON: Expecting value at 0"),
    ],
)
def test_hostile_lines_are_refused_and_copied_whole(
    file: Path, line: bytes, complaint: str
) -> None:
    file.write_bytes(b"\n".join([page("before"), line, page("after")]))
    refused = file.with_name("refused.ndjson")

    said, complaints = run(file, refused=refused)

    assert said == "2 accepted, 0 duplicate, 1 refused"
    assert complaints == [f"line 2: {complaint}"]
    assert refused.read_bytes() == line + b"\n"


def test_a_numeric_message_id_is_an_id(file: Path) -> None:
    file.write_bytes(page(messageId=7) + b"\n" + page("7"))

    said, _ = run(file)

    assert said == "1 accepted, 1 duplicate, 0 refused"


def test_a_file_that_is_missing_or_a_source_without_a_name_is_a_clear_error(file: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(file)
    file.write_bytes(b"")
    with pytest.raises(CommandError, match="1 to 50 characters"):
        run(file, source="x" * 51)

    assert run(file)[0] == "0 accepted, 0 duplicate, 0 refused"


def test_a_byte_order_mark_is_no_part_of_the_first_line(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + page("m-1") + b"\n" + page("m-2"))

    assert run(file)[0] == "2 accepted, 0 duplicate, 0 refused"


BOM = b"\xef\xbb\xbf"
SIZES = [LARGEST - 1, LARGEST, LARGEST + 1, LARGEST + 2, LARGEST + 3, 3 * LARGEST]
short_lines = st.binary(max_size=9).map(
    lambda raw: raw.replace(b"\n", b"").replace(BOM, b"").rstrip(b"\r")  # part of the line's end
)
long_lines = st.sampled_from(SIZES).map(lambda size: b"x" * size)


@given(
    lines=st.lists(short_lines | long_lines, max_size=6),
    has_mark=st.booleans(),
    newline=st.sampled_from([b"\n", b"\r\n"]),
)
def test_every_line_is_found_where_it_stands(
    lines: list[bytes], has_mark: bool, newline: bytes
) -> None:
    content = BOM * has_mark + b"".join(line + newline for line in lines)

    found = list(read_lines(io.BytesIO(content)))

    assert [line.number for line in found] == [
        number for number, text in enumerate(lines, 1) if text.strip()
    ]
    for line in found:
        text = lines[line.number - 1]
        assert content[line.offset : line.offset + line.length] == text + newline
        assert line.raw == text or (len(text) > LARGEST < len(line.raw))
