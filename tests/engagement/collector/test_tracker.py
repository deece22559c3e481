"""The tracker on the pages of a site: what it tells, and what it needs consent for."""

from __future__ import annotations

import gzip
from urllib.parse import quote

import pytest
from django.conf import settings

from engagement.models import InboxMessage
from tests.collecting import Collector
from tests.engagement.collector.sites import Site, names

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

GPC_IS_ON = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"
STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
NOTHING_STORED = '[{},{},""]'


def test_the_tracker_as_served_is_under_three_kilobytes(collector: Collector) -> None:
    served = collector.request("GET", "/baton.js", headers={"Accept-Encoding": "gzip"})

    assert served.headers["content-encoding"] == "gzip"
    assert len(served.content) < 3000
    assert (
        gzip.decompress(served.content)
        == (settings.BASE_DIR / "static" / "js" / "baton.js").read_bytes()
    )


def test_a_page_view_tells_the_page_where_from_and_the_campaign(site: Site) -> None:
    site.open(
        "/blog/oee?utm_source=heise&utm_campaign=may&id=7#part", referer="https://www.heise.de/"
    )

    [view] = site.heard(1)

    assert view["type"] == "page"
    assert view["context"]["page"] == {
        "url": f"{site.url}/blog/oee?utm_source=heise&utm_campaign=may&id=7",
        "path": "/blog/oee",
        "title": "Spare parts",
        "referrer": "https://www.heise.de/",
    }
    assert view["context"]["campaign"] == {"source": "heise", "name": "may"}
    assert len(view["anonymousId"]) == 36


def test_a_visitor_keeps_one_random_id_from_page_to_page(site: Site) -> None:
    site.open("/one")
    site.heard(1)
    site.open("/two")

    first, second = (body for body in site.heard(2) if body["type"] == "page")

    assert first["anonymousId"] == second["anonymousId"]
    assert first["messageId"] != second["messageId"]


def test_pages_that_a_script_turns_count_like_loaded_ones(site: Site) -> None:
    site.open("/one")
    site.run("history.pushState({}, '', '/two')")
    site.run("history.pushState({}, '', '/two')")
    site.run("history.back()")
    site.run("history.back()")

    views = site.heard(3)

    assert [body["context"]["page"]["path"] for body in views] == ["/one", "/two", "/one"]
    assert views[1]["context"]["page"]["referrer"] == f"{site.url}/one"


def test_downloads_and_links_to_other_sites_are_told_others_are_not(site: Site) -> None:
    site.body = (
        "<script>addEventListener('click', (event) => event.preventDefault())</script>"
        "<a href='/files/guide.pdf'><b id=file>Guide</b></a>"
        "<a id=named href='/export' download>Export</a>"
        "<a id=other href='https://other.example/pricing'>Other</a>"
        "<a id=own href='/pricing'>Own</a><a id=mail href='mailto:a@b.example'>Mail</a>"
    )
    site.open()
    for place in ("own", "mail", "file", "named", "other"):
        site.page.click(f"#{place}")

    file, named, other = site.heard(4)[1:]

    assert (file["event"], file["properties"]["url"]) == (
        "File Downloaded",
        f"{site.url}/files/guide.pdf",
    )
    assert (named["event"], named["properties"]["name"]) == ("File Downloaded", "export")
    assert (other["event"], other["properties"]) == (
        "Link Clicked",
        {"href": "https://other.example/pricing"},
    )


def test_a_form_tells_its_declared_fields_and_never_a_password(site: Site) -> None:
    site.body = """
        <form action=/sent data-baton-form="Ask us">
          <input name=a data-baton-trait=email value=ines@example.com>
          <input name=b value=secret-plan>
          <input name=c type=password data-baton-trait=password value=secret-word>
          <input name=d type=checkbox data-baton-trait=newsletter value=yes>
          <input name=e type=checkbox data-baton-trait=visit value=yes checked>
          <input name=baton_id type=hidden>
        </form>
        <form id=plain action=/sent><input name=q data-baton-trait=query value=oee></form>"""
    site.open()
    site.heard(1)
    site.run("document.forms.plain.requestSubmit()")
    site.wait(lambda: "/sent" in site.page.url)
    site.open()
    with site.page.expect_request("**/sent?*") as sent:
        site.run("document.forms[0].requestSubmit()")

    site.wait(lambda: {"identify", "Form Submitted"} <= set(names(site.stored())))
    [submitted] = [body for body in site.stored() if body.get("event") == "Form Submitted"]
    [identified] = [body for body in site.stored() if body["type"] == "identify"]

    assert submitted["properties"] == {"form": "Ask us"}
    assert identified["traits"] == {"email": "ines@example.com", "visit": "yes"}
    assert "secret" not in str([submitted, identified])
    assert f"baton_id={submitted['anonymousId']}" in sent.value.url


def test_the_time_in_sight_arrives_though_the_page_is_left(site: Site) -> None:
    site.open("/long")
    site.page.wait_for_timeout(1600)
    site.open("/next")

    site.wait(lambda: "Page Left" in names(site.stored()))
    [left] = [body for body in site.stored() if body.get("event") == "Page Left"]

    assert left["context"]["page"]["path"] == "/long"
    assert left["properties"] == {"seconds": 2}


def test_calls_made_before_the_tracker_is_there_are_made_up_for(site: Site) -> None:
    site.body = """<script>
        (window.baton ||= []).push(["identify", "4711", {email: "ines@example.com"}]);
        baton.push(["track", "Tour Started", {machines: 12}]);</script>"""
    site.open()
    site.wait(lambda: len(site.stored()) >= 3)
    site.run("baton.track('Later')")

    site.wait(lambda: "Later" in names(site.stored()))
    by_name = dict(zip(names(site.stored()), site.stored(), strict=True))
    tour, identified = by_name["Tour Started"], by_name["identify"]

    assert by_name["page"]["userId"] is None
    assert (identified["userId"], identified["traits"]) == ("4711", {"email": "ines@example.com"})
    assert (tour["properties"], tour["userId"]) == ({"machines": 12}, "4711")


def test_without_consent_nothing_is_kept_or_sent(site: Site) -> None:
    site.attributes = 'data-consent="ask"'
    site.body = "<form data-baton-form=x><input name=baton_id></form><a id=f href=/a.pdf>f</a>"
    site.open("/?baton_t=sealed")
    site.run("baton.identify('4711'); baton.track('Tour Started'); baton.page()")
    site.run("history.pushState({}, '', '/two')")
    site.page.click("#f")
    site.open("/three")

    assert site.silent()
    assert site.run(STORED) == NOTHING_STORED
    assert site.run("document.querySelector('[name=baton_id]').value") == ""


def test_with_consent_the_page_counts_and_the_next_one_needs_no_asking(site: Site) -> None:
    site.attributes = 'data-consent="ask"'
    site.open("/one")
    site.run("baton.consent(true)")
    site.heard(1)
    site.open("/two")

    first, second = (body for body in site.heard(2) if body["type"] == "page")

    assert [body["context"]["page"]["path"] for body in (first, second)] == ["/one", "/two"]
    assert first["anonymousId"] == second["anonymousId"]


@pytest.mark.parametrize("attributes", ['data-consent="ask"', ""])
def test_consent_taken_back_removes_the_id_and_ends_everything(site: Site, attributes: str) -> None:
    site.attributes = attributes
    site.body = "<input name=baton_id>"
    site.open("/one")
    site.run("baton.consent(true)")
    [view] = site.heard(1)

    site.run("baton.consent(false)")
    InboxMessage.objects.all().delete()
    site.asked.clear()
    site.run("baton.track('Tour Started')")
    assert view["anonymousId"] not in site.run(STORED)
    assert site.run("document.querySelector('[name=baton_id]').value") == ""
    site.open("/two")

    assert site.silent()


def test_global_privacy_control_means_never(site: Site) -> None:
    site.open("/")
    site.heard(1)
    InboxMessage.objects.all().delete()
    site.asked.clear()
    site.page.add_init_script(GPC_IS_ON)
    site.open("/")
    site.asked.clear()  # the page before said goodbye
    InboxMessage.objects.all().delete()
    site.run("baton.consent(true); baton.identify('4711'); baton.track('Tour Started')")
    site.open("/two")

    assert site.silent()
    assert site.run(STORED) == NOTHING_STORED


def test_the_token_of_a_link_is_told_once_and_leaves_the_address(site: Site) -> None:
    token = "sealed:with/strange+signs"
    site.open(f"/offer?a=1&baton_t={quote(token, safe='')}#part")
    site.run("baton.track('Tour Started')")

    view, tour = site.heard(2)

    assert view["context"]["baton"] == {"token": token}
    assert "baton" not in tour["context"]
    assert site.page.url == f"{site.url}/offer?a=1#part"
    assert "baton_t" not in str(site.stored())


def test_frames_and_links_that_ask_for_it_get_the_id(site: Site) -> None:
    site.body = (
        "<iframe src='/f/guide/?embed=1' data-baton></iframe><iframe src='/plain'></iframe>"
        "<a id=ours href='/o/demo/' data-baton>Demo</a>"
    )
    site.open()
    view = site.heard(1)[0]

    frames = site.run("[...document.querySelectorAll('iframe')].map((each) => each.src)")

    assert frames == [
        f"{site.url}/f/guide/?embed=1&baton_id={view['anonymousId']}",
        f"{site.url}/plain",
    ]
    assert site.run("ours.href") == f"{site.url}/o/demo/?baton_id={view['anonymousId']}"
