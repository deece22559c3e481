from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client

from crm.demo.library import BY_SLUG
from crm.demo.site.pages import CALL, NAVIGATION, PAGES, SITE_PATH
from crm.demo.site.source import open_site
from tests.factories import NOW

PRODUCTION = {
    "BATON_MODE": "production",
    "SECRET_KEY": "a-key-for-one-test-that-is-long-enough-for-the-check-50-characters",
    "ALLOWED_HOSTS": "baton.example.com",
    "PUBLIC_URL": "https://baton.example.com",
    "COLLECTOR_URL": "https://t.example.com",
    "DATABASE_URL": "postgres://baton@db.example.com/baton",
    "REDIS_URL": "redis://broker.example.com:6379/0",
    "EMAIL_URL": "submission://user:password@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "baton@example.com",
}
ASKS = f"""
import django; django.setup()
from django.urls import Resolver404, resolve
try:
    resolve("{SITE_PATH}/")
except Resolver404:
    print("nowhere")
"""


@pytest.mark.django_db
def test_without_the_demo_company_there_is_no_site() -> None:
    assert Client().get(f"{SITE_PATH}/").status_code == 404


@pytest.mark.django_db
def test_every_page_that_the_site_leads_to_is_there() -> None:
    open_site(now=NOW)
    targets = [target for _, target in (*NAVIGATION, CALL)]

    statuses = {path: Client().get(f"{SITE_PATH}/{path}").status_code for path in PAGES}

    assert set(statuses.values()) == {200}
    assert [target for target in targets if target not in PAGES] == []
    assert Client().get(f"{SITE_PATH}/no-such-page").status_code == 404


@pytest.mark.django_db
def test_a_page_has_the_tracker_with_the_key_of_the_site_and_may_load_no_other_script() -> None:
    source = open_site(now=NOW)

    page = Client().get(f"{SITE_PATH}{BY_SLUG['pricing'].path}")

    assert f'data-key="{source.write_key}"' in page.content.decode()
    assert 'data-consent="ask"' in page.content.decode()
    allowed = {each.strip() for each in page["Content-Security-Policy"].split(";")}
    assert f"script-src 'self' {settings.COLLECTOR_URL}" in allowed
    assert f"connect-src 'self' {settings.COLLECTOR_URL}" in allowed


def test_an_installation_for_real_work_has_no_sample_site() -> None:
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "crm.settings"}

    asked = subprocess.run(
        [sys.executable, "-c", ASKS],
        env=environment | PRODUCTION,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert asked.stdout.strip() == "nowhere", asked.stderr
