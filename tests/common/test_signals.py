"""The facts that floors commit together with: few, and all of them listed here."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.dispatch import Signal


def test_the_signals_of_baton_are_these() -> None:
    ours = [
        config.name
        for config in apps.get_app_configs()
        if config.name.split(".")[0] in {"crm", "leads", "engagement", "scoring", "handoff"}
        and find_spec(f"{config.name}.signals")
    ]

    found = {
        f"{app}.{name}"
        for app in ours
        for name, value in vars(import_module(f"{app}.signals")).items()
        if isinstance(value, Signal)
    }

    assert found == {
        "crm.accounts.invited",
        "crm.accounts.stopped_selling",
        "leads.standing_changed",
        "leads.leads_changed",
        "leads.leads_woken",
        "leads.stage_changed",
        "engagement.events_absorbed",
        "engagement.history_corrected",
        "engagement.lead_captured",
        "scoring.model_published",
    }
