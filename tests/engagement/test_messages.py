from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engagement.enums import ClockFault, EventKind
from engagement.messages import EARLIEST, Message, parse_message, true_time
from engagement.storable import Problem

RECEIVED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def parse(sent_at: datetime | None = None, **body: Any) -> Message | Problem:
    return parse_message(
        {"type": "track", "event": "Demo Requested", "anonymousId": "a-1", **body},
        received_at=RECEIVED,
        sent_at=sent_at,
    )


def understood(sent_at: datetime | None = None, **body: Any) -> Message:
    message = parse(sent_at, **body)
    assert isinstance(message, Message), message
    return message


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("Demo Requested", EventKind.DEMO_REQUEST),
        ("demo_requested", EventKind.DEMO_REQUEST),
        ("DEMO_REQUEST", EventKind.DEMO_REQUEST),
        ("Asset Downloaded", EventKind.DOWNLOAD),
        ("Webinar Registered", EventKind.WEBINAR_REGISTERED),
        ("Webinar Attended", EventKind.WEBINAR_ATTENDED),
        ("WEBINAR_NO_SHOW", EventKind.WEBINAR_NO_SHOW),
        ("Email Opened", EventKind.EMAIL_OPEN),
        ("Email Link Clicked", EventKind.EMAIL_CLICK),
        ("Form Submitted", EventKind.FORM_SUBMIT),
        ("Newsletter Subscribed", EventKind.NEWSLETTER_SIGNUP),
        ("Unsubscribed", EventKind.UNSUBSCRIBE),
        ("Trial Started", EventKind.TRIAL_START),
        ("Consultation Requested", EventKind.CONSULTATION_REQUEST),
        ("Quote Requested", EventKind.PRICING_REQUEST),
        ("Roof Inspected", EventKind.CUSTOM),
        ("Identify", EventKind.CUSTOM),
    ],
)
def test_a_track_call_is_of_the_kind_its_event_names(event: str, kind: EventKind) -> None:
    message = understood(event=event)

    assert (message.kind, message.name) == (kind, event)


@pytest.mark.parametrize(
    ("type_", "fields", "kind", "name"),
    [
        ("page", {"name": "Pricing"}, EventKind.PAGE_VIEW, "Pricing"),
        ("page", {"properties": {"title": "Our prices"}}, EventKind.PAGE_VIEW, "Our prices"),
        ("screen", {"name": "Home"}, EventKind.PAGE_VIEW, "Home"),
        ("identify", {"traits": {}}, EventKind.IDENTIFY, ""),
        ("group", {"groupId": "g"}, EventKind.CUSTOM, "Group"),
        ("alias", {"previousId": "b"}, EventKind.CUSTOM, "Alias"),
    ],
)
def test_the_other_calls_have_a_kind_of_their_own(
    type_: str, fields: dict[str, Any], kind: EventKind, name: str
) -> None:
    message = understood(type=type_, **fields)

    assert (message.kind, message.name) == (kind, name)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"type": "dance"}, "type_unknown", "type"),
        ({"type": None}, "type_unknown", "type"),
        ({"type": ["track"]}, "type_unknown", "type"),
        ({"event": None}, "event_missing", "event"),
        ({"event": "   "}, "event_missing", "event"),
        ({"event": 7}, "event_missing", "event"),
        ({"event": "x" * 201}, "name_too_long", "event"),
        ({"anonymousId": None}, "nobody", "userId"),
        ({"anonymousId": ""}, "nobody", "userId"),
        ({"userId": {"a": 1}}, "id_invalid", "userId"),
        ({"userId": True}, "id_invalid", "userId"),
        ({"anonymousId": "x" * 201}, "id_too_long", "anonymousId"),
        ({"properties": []}, "not_an_object", "properties"),
        ({"context": "x"}, "not_an_object", "context"),
        ({"context": {"page": 1}}, "not_an_object", "context.page"),
        ({"traits": {"email": "no address"}}, "email_invalid", "traits.email"),
        ({"timestamp": "yesterday"}, "time_invalid", "timestamp"),
        ({"timestamp": 1_795_262_400}, "time_invalid", "timestamp"),
        ({"timestamp": "2026-02-30T10:00:00Z"}, "time_invalid", "timestamp"),
        ({"timestamp": "2026-11-21T10:00:00"}, "time_without_zone", "timestamp"),
    ],
)
def test_what_makes_no_sense_is_refused_by_code_and_field(
    body: dict[str, Any], code: str, field: str
) -> None:
    problem = parse(**body)

    assert isinstance(problem, Problem)
    assert (problem.code, problem.field) == (code, field)


def test_ids_may_be_numbers() -> None:
    message = understood(anonymousId=None, userId=4711)

    assert (message.anonymous_id, message.user_id, message.email) == ("", "4711", "")


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "identify", "traits": {"email": " Ada@Example.COM "}},
        {"context": {"traits": {"email": "ada@example.com"}}},
        {"userId": "ADA@example.com"},
    ],
)
def test_an_address_is_found_in_traits_and_in_the_user_id(fields: dict[str, Any]) -> None:
    assert understood(**fields).email == "ada@example.com"


def test_the_log_keeps_no_values_of_traits() -> None:
    message = understood(type="identify", traits={"email": "ada@example.com", "age": 36})

    assert message.properties == {"traits": ["age", "email"]}


def test_the_log_keeps_properties_campaign_and_referrer() -> None:
    message = understood(
        properties={"plan": "pro"},
        context={
            "campaign": {"source": "google", "medium": "cpc"},
            "page": {"referrer": "https://search.example/", "url": "https://site.example/demo"},
        },
    )

    assert message.properties == {
        "plan": "pro",
        "campaign": {"source": "google", "medium": "cpc"},
        "referrer": "https://search.example/",
    }
    assert (message.url, message.path) == ("https://site.example/demo", "/demo")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://site.example/guides/oee/?utm_source=x#top", "/guides/oee"),
        ("https://site.example/", "/"),
        ("https://[broken", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_path_of_a_page_is_that_of_its_url(url: str | None, path: str) -> None:
    assert understood(properties={"url": url}).path == path


def test_a_long_url_is_cut_and_kept_whole_in_the_properties() -> None:
    url = "https://site.example/?q=" + "x" * 5000

    message = understood(properties={"url": url})

    assert (len(message.url), message.properties["url"]) == (2000, url)


def test_a_server_that_reports_names_no_user_agent_and_a_bare_browser_an_empty_one() -> None:
    assert understood().user_agent is None
    assert understood(context={"userAgent": ""}).user_agent == ""


@pytest.mark.parametrize(
    ("told", "sent_at", "true", "fault"),
    [
        # one hour before it was sent, by a clock that is three hours slow
        ("2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z", "2026-11-21T11:00:00Z", ""),
        # by a clock that is a day fast
        ("2026-11-22T11:50:00Z", "2026-11-22T12:00:00Z", "2026-11-21T11:50:00Z", ""),
        # nobody knows when it was sent: taken as told
        ("2019-03-01T10:00:00+02:00", None, "2019-03-01T08:00:00Z", ""),
        # ahead of us: never after the receipt; named when it is more than a minute
        ("2026-11-21T12:00:30Z", None, "2026-11-21T12:00:00Z", ""),
        ("2026-11-21T12:01:01Z", None, "2026-11-21T12:00:00Z", ClockFault.FUTURE),
        ("9999-12-31T23:59:59Z", None, "2026-11-21T12:00:00Z", ClockFault.FUTURE),
        ("9999-12-31T23:59:59-12:00", None, "2026-11-21T12:00:00Z", ClockFault.ABSURD),
        ("2026-11-21T12:00:00Z", "2026-11-21T11:00:00Z", "2026-11-21T12:00:00Z", ClockFault.FUTURE),
        # before anybody tracked anything
        ("1999-12-31T23:59:59Z", None, "2026-11-21T12:00:00Z", ClockFault.ABSURD),
        ("0001-01-01T00:00:00+14:00", None, "2026-11-21T12:00:00Z", ClockFault.ABSURD),
        ("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "2026-11-21T12:00:00Z", ClockFault.ABSURD),
        (None, "2026-11-21T11:00:00Z", "2026-11-21T12:00:00Z", ""),
    ],
)
def test_true_time_is_the_receipt_less_what_passed_on_the_clients_clock(
    told: str | None, sent_at: str | None, true: str, fault: str
) -> None:
    message = understood(datetime.fromisoformat(sent_at) if sent_at else None, timestamp=told)

    assert message.occurred_at == datetime.fromisoformat(true)
    assert message.clock_fault == fault


aware = st.datetimes(timezones=st.timezones())


@given(told=aware | st.none(), sent_at=aware | st.none(), skew=st.timedeltas())
def test_an_event_never_happens_after_its_receipt_nor_in_the_distant_past(
    told: datetime | None, sent_at: datetime | None, skew: timedelta
) -> None:
    moment, _ = true_time(told, received_at=RECEIVED, sent_at=sent_at)

    assert EARLIEST <= moment <= RECEIVED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KEYS = (
    "type", "event", "name", "userId", "anonymousId", "timestamp", "originalTimestamp",
    "properties", "traits", "context",
)  # fmt: skip
bodies = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(KEYS, json_values)
    | {
        "type": st.sampled_from(["track", "identify", "page", "group"]) | json_values,
        "anonymousId": st.text(max_size=5) | json_values,
        "context": st.dictionaries(st.sampled_from(["page", "traits", "userAgent"]), json_values)
        | json_values,
    },
)


@given(body=bodies)
def test_the_parser_never_raises(body: dict[str, Any]) -> None:
    result = parse_message(body, received_at=RECEIVED, sent_at=None)

    assert isinstance(result, Message | Problem)
