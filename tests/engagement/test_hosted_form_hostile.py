"""Whatever a stranger sends to a form, it is never an error of ours."""

from __future__ import annotations

import json

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engagement.models import Submission
from engagement.questions import Question
from leads.enums import AttributeType
from tests.engagement.form_making import CONSENT, QUESTIONS, declare, make_form
from tests.engagement.form_pages import address_of, token_for

pytestmark = pytest.mark.django_db

EXPECTED = {200, 303, 400, 404, 405, 413, 422}
ODD = st.sampled_from(
    ["", "\0", "\ud800", "%00", "é" * 300, "<script>alert(1)</script>", "' OR 1=1 --", "{{ 7*7 }}",
     "9" * 400, "1e1000000", "NaN", "-0", "10000-01-01", "0000-00-00", "javascript:alert(1)",
     "http://[::1", "http://" + "a" * 3000, "\u202e", "a@b.example", "DE", "on", "+49 30 1"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["token", "email", "first_name", "country", "phone", "website", "attr_staff", "attr_day",
     "attr_ready", "attr_product", "consent", "fax", "page", "referrer", "baton_id", "x" * 200]
)  # fmt: skip
TYPES = st.sampled_from(
    ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16",
     "application/x-www-form-urlencoded; charset=nonsense", "multipart/form-data",
     "multipart/form-data; boundary=x", "multipart/form-data; boundary=" + "é" * 90,
     "application/json", "text/plain", "", "x" * 500]
)  # fmt: skip
bounded = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def address() -> str:
    declare("staff", AttributeType.NUMBER)
    declare("day", AttributeType.DATE)
    declare("ready", AttributeType.BOOLEAN)
    declare("product", AttributeType.CHOICE, choices=["Pumps"])
    asked = [Question(f"attr_{name}", name) for name in ("staff", "day", "ready", "product")]
    form = make_form(
        *QUESTIONS, Question("phone", "Phone"), Question("website", "Website"), *asked,
        consent_text=CONSENT,
    )  # fmt: skip
    return f"{address_of(form)}|{token_for(form)}"


@bounded
@given(said=st.dictionaries(NAMES, ODD | st.text(max_size=40)), has_token=st.booleans())
def test_any_fields_are_answered(address: str, said: dict[str, str], has_token: bool) -> None:
    where, token = address.split("|")
    fields = {name: text.encode("utf-8", "surrogatepass") for name, text in said.items()}
    if has_token:
        fields = {"email": b"ines@kesterwald.example", **fields, "token": token.encode()}

    with transaction.atomic():
        answer = Client(raise_request_exception=True).post(where, fields)
        transaction.set_rollback(True)

    assert answer.status_code in EXPECTED


@bounded
@given(body=st.binary(max_size=300), kind=TYPES, query=ODD | st.text(max_size=30))
def test_any_body_of_any_type_is_answered(address: str, body: bytes, kind: str, query: str) -> None:
    where, _ = address.split("|")
    asked = query.encode("utf-8", "surrogatepass").decode("latin-1")

    answer = Client().generic("POST", where, body, content_type=kind, QUERY_STRING=asked)
    page = Client().generic("GET", where, QUERY_STRING=asked, HTTP_REFERER=asked)

    assert answer.status_code in EXPECTED
    assert page.status_code == 200


@pytest.mark.parametrize("length", ["-1", "x", "99999999999999999999", "1e3", "²"])
def test_a_length_that_lies_is_refused(address: str, length: str) -> None:
    where, _ = address.split("|")
    answer = Client().generic("POST", where, b"email=x", CONTENT_LENGTH=length)
    assert answer.status_code in {400, 413, 422}


def test_hundreds_of_fields_are_refused(address: str) -> None:
    where, _ = address.split("|")
    body = "&".join(f"a{number}=1" for number in range(2000))
    answer = Client().post(where, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert not Submission.objects.exists()


def test_json_is_no_form(address: str) -> None:
    where, token = address.split("|")
    body = json.dumps({"token": token, "email": "ines@kesterwald.example"})
    assert Client().post(where, body, content_type="application/json").status_code == 422
    assert not Submission.objects.exists()
