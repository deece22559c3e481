from __future__ import annotations

import gzip
from pathlib import Path

from engagement.collector.answers import Answer
from engagement.collector.script import Script

CODE = b"window.baton = []\n" * 20


def served(tmp_path: Path, *, with_body: bool = True, **headers: bytes) -> Answer:
    path = tmp_path / "baton.js"
    path.write_bytes(CODE)
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Script(path).answer(named, with_body=with_body)


def test_every_site_may_load_and_keep_the_script(tmp_path: Path) -> None:
    answer = served(tmp_path)
    headers = dict(answer.headers)

    assert (answer.status, answer.body) == (200, CODE)
    assert headers[b"content-type"] == b"text/javascript; charset=utf-8"
    assert headers[b"content-length"] == str(len(CODE)).encode()
    assert headers[b"cache-control"] == b"public, max-age=3600"
    assert headers[b"cross-origin-resource-policy"] == b"cross-origin"


def test_it_travels_packed_where_that_is_understood(tmp_path: Path) -> None:
    answer = served(tmp_path, accept_encoding=b"gzip, br")
    headers = dict(answer.headers)

    assert gzip.decompress(answer.body) == CODE
    assert (headers[b"content-encoding"], headers[b"vary"]) == (b"gzip", b"accept-encoding")
    assert headers[b"content-length"] == str(len(answer.body)).encode()


def test_who_has_it_already_gets_nothing_again(tmp_path: Path) -> None:
    etag = dict(served(tmp_path).headers)[b"etag"]

    answers = [
        served(tmp_path, if_none_match=told) for told in (etag, b'"x", ' + etag, b"W/" + etag)
    ]
    changed = served(tmp_path, if_none_match=b'"x"')

    assert [(answer.status, answer.body) for answer in answers] == [(304, b"")] * 3
    assert changed.status == 200


def test_a_head_request_gets_the_headers_alone(tmp_path: Path) -> None:
    whole, head = served(tmp_path), served(tmp_path, with_body=False)

    assert (head.headers, head.body) == (whole.headers, b"")
