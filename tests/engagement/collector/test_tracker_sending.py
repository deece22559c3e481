"""The tracker where sending fails, and on pages that are hostile to it."""

from __future__ import annotations

import pytest

from tests.engagement.collector.sites import Site, names

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


@pytest.mark.parametrize("status", [408, 429, 503])
def test_what_is_not_acknowledged_is_sent_again_on_the_next_page_and_stored_once(
    site: Site, status: int
) -> None:
    site.open("/one")
    site.heard(1)
    site.page.route("**/v1/b", lambda route: route.fulfill(status=status))
    site.run("baton.track('Tour Started')")
    site.wait(lambda: site.run("sessionStorage.baton_queue"))
    site.page.wait_for_timeout(300)
    site.page.unroute("**/v1/b")
    site.open("/two")

    site.wait(lambda: names(site.stored()).count("page") >= 2)
    site.wait(lambda: not site.run("sessionStorage.baton_queue"))

    assert names(site.stored()).count("Tour Started") == 1


def test_a_collector_that_comes_back_gets_everything(site: Site) -> None:
    site.open("/one")
    site.heard(1)
    site.collector.stop()
    try:
        site.run("baton.track('While Away')")
        site.page.wait_for_timeout(500)
    finally:
        site.collector.start()

    site.wait(lambda: "While Away" in names(site.stored()))
    assert names(site.stored()) == ["page", "While Away"]


def test_what_is_refused_is_not_sent_again(site: Site) -> None:
    site.open("/")
    site.heard(1)
    site.wait(lambda: site.asked)  # the browser may tell of its request after it was stored
    site.asked.clear()
    site.page.route("**/v1/b", lambda route: route.fulfill(status=400))
    site.run("baton.track('Tour Started')")
    site.page.wait_for_timeout(2500)

    assert len(site.asked) == 1
    assert not site.run("sessionStorage.baton_queue")


def test_what_waits_is_bounded(site: Site) -> None:
    site.open("/")
    site.heard(1)
    site.page.route("**/v1/b", lambda route: route.abort())
    site.run("for (let n = 0; n < 200; n++) baton.track(`Event ${n}`)")

    waiting = site.run("JSON.parse(sessionStorage.baton_queue)")

    assert [body["event"] for body in waiting] == [f"Event {number}" for number in range(150, 200)]


def test_nothing_that_the_tracker_meets_breaks_the_page(site: Site) -> None:
    site.page.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, {get() { throw new Error('forbidden'); }});"
        "navigator.sendBeacon = () => { throw new Error('forbidden'); }"
    )
    site.body = "<a data-baton href='http://[broken'>x</a><form id=f><input name=target></form>"
    site.open("/")
    site.run("""
        const circle = {}; circle.self = circle;
        baton.track('Circle', circle); baton.track('Long', {text: 'x'.repeat(1e6)});
        baton.identify(null); baton.identify(circle); baton.push(); baton.push(['nothing']);
        baton.track(); document.dispatchEvent(new Event('click'));
        document.getElementById('f').dispatchEvent(new Event('submit', {bubbles: true}));
        dispatchEvent(new Event('pagehide')); history.pushState({}, '', '/two');
        baton.track('Still There')""")

    site.wait(lambda: "Still There" in names(site.stored()))
    assert site.faults == []
