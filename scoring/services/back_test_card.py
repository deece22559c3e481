"""A back-test as its card and its page show it: lines of figures, charts, weeks.

A percentage or a median of fewer than ten is not shown; its sample stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from crm.common.ui import words
from scoring.enums import BackTestChange, BackTestState
from scoring.models import BackTest, ScoringModel
from scoring.services.publishing import published_model

_MONTH = 365.25 / 12
_BAND_LABELS = ("0–24", "25–49", "50–74", "75–100")


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure under the model in force and under the draft; ``change`` only if both count."""

    label: str
    former: str
    draft: str
    change: Decimal | None
    sample: str


@dataclass(frozen=True, slots=True)
class WeekLine:
    """The MQLs of one week, per rep and working day, and how sales kept up with what it had."""

    week: date
    former: int
    draft: int
    former_each: str
    draft_each: str
    on_time: int
    due: int


def card_of(model: ScoringModel) -> dict[str, Any]:
    """Return the context of ``scoring/_back_test_card.html`` for a model as it is now.

    ``running`` is a back-test with work left, ``done`` the latest finished one, ``failed`` one that
    was stopped after that; each None if there is none. ``stale`` says why what was found holds no
    longer and what to do, or nothing.
    """
    own = BackTest.objects.of_revision(model).select_related("former", "requested_by")
    latest = own.order_by("id").last()
    done = BackTest.objects.finished_for(model)
    context: dict[str, Any] = {
        "model": model,
        "running": latest if latest and not latest.is_finished else None,
        "failed": latest if latest and latest.error else None,
        "done": done,
        "stale": _stale(model, done) if model.is_draft else "",
        "days": (done.ends_at - done.starts_at).days if done else 0,
    }
    return context | (_figures(done) if done else {})


def _stale(model: ScoringModel, done: BackTest | None) -> str:
    if done is None:
        before = BackTest.objects.filter(model=model, state=BackTestState.DONE)
        changed = "The draft was changed since its last back-test: run it again."
        return changed if before.exists() else ""
    in_force = published_model()
    if done.former_id == (in_force.pk if in_force else None):
        return ""
    return f"{in_force} came into force since: run it again, so that {model} is compared with it."


def _figures(done: BackTest) -> dict[str, Any]:
    return {
        "former": done.former,
        "lines": figure_lines(done),
        "bands": _bands(done),
        "chart": _chart(done, "bands", _BAND_LABELS),
    }


def figure_lines(done: BackTest) -> list[FigureLine]:
    """Return the figures of both models."""
    months = (done.ends_at - done.starts_at).days / _MONTH
    draft, former = _sides(done)
    return [
        _line("MQLs per month", _per(former, "mqls", months), _per(draft, "mqls", months),
              f"{months:.0f} months", places=0),
        _share("Won deals found", former, draft, "became_won", "wons"),
        _share("SQLs found", former, draft, "became_sql", "sqls"),
        _share("MQL to SQL", former, draft, "became_sql", "decided"),
        _share("Given back by sales", former, draft, "refused", "decided"),
        _median("Days ahead of SQL", former, draft, "days_ahead", "became_sql"),
        _median("Days ahead of the MQL that was", former, draft, "days_gained", "compared"),
    ]  # fmt: skip


def week_lines(done: BackTest) -> list[WeekLine]:
    """Return the weeks of the period with what each model would have sent to sales."""
    load = done.results["load"] or {"weeks": [], "reps": 0}
    sales = {each["week"]: each for each in load["weeks"]}
    sent = {each["week"]: each for each in done.results["weeks"]}
    return [
        _week(week, sent.get(week, {}), sales.get(week, {}), load["reps"])
        for week in sorted({*sales, *sent})
    ]


def week_chart(done: BackTest) -> dict[str, Any]:
    """Return the chart of the MQLs per week."""
    weeks = week_lines(done)
    labels = [f"{each.week:%-d %b}" for each in weeks]
    draft = {"name": f"v{done.model.version}", "values": [each.draft for each in weeks]}
    if not done.former:
        return {"kind": "bar", "labels": labels, "series": [draft]}
    values = [each.former for each in weeks]
    former = {"name": f"v{done.former.version}", "values": values, "outline": True}
    return {"kind": "bar", "labels": labels, "series": [former, draft]}


def decile_lines(done: BackTest) -> list[dict[str, Any]]:
    """Return the deciles, the best tenth first: what became SQL, and how often the average that is.

    ``lift`` is None where fewer than ten became SQL in all.
    """
    draft, former = _sides(done)
    whole = draft["sqls"] / done.results["cycles"] if draft["sqls"] >= words.SMALLEST_SAMPLE else 0
    befores = former["deciles"] if former else [{"cycles": 0, "sqls": 0}] * len(draft["deciles"])
    return [
        {"place": place, "draft": each, "former": before, "lift": _lift(each, whole),
         "former_lift": _lift(before, whole)}
        for place, (each, before) in enumerate(zip(draft["deciles"], befores, strict=True), 1)
    ]  # fmt: skip


def change_lines(done: BackTest) -> list[dict[str, Any]]:
    """Return what changes for how many cycles, and what became of them."""
    nothing = {"cycles": 0, "sqls": 0, "wons": 0, "refused": 0}
    found = done.results["changes"]
    return [
        {"code": change.value, "label": change.label, **found.get(change.value, nothing)}
        for change in BackTestChange
    ]


def _sides(done: BackTest) -> tuple[dict[str, Any], dict[str, Any]]:
    sides = done.results["sides"]
    return sides["draft"], sides.get("former", {})


def _per(side: Mapping[str, Any], name: str, span: float) -> float | None:
    return side[name] / span if side else None


def _share(
    label: str, former: Mapping[str, Any], draft: Mapping[str, Any], part: str, whole: str
) -> FigureLine:
    shares = [
        100 * side[part] / side[whole] if side and side[whole] >= words.SMALLEST_SAMPLE else None
        for side in (former, draft)
    ]
    return _line(label, shares[0], shares[1], f"n = {draft[whole]:,}", unit=" %")


def _median(
    label: str, former: Mapping[str, Any], draft: Mapping[str, Any], name: str, sample: str
) -> FigureLine:
    days = [
        side[name] if side and side[sample] >= words.SMALLEST_SAMPLE else None
        for side in (former, draft)
    ]
    return _line(label, days[0], days[1], f"n = {draft[sample]:,}")


def _line(
    label: str, former: float | None, draft: float | None, sample: str,
    *, unit: str = "", places: int = 1,
) -> FigureLine:  # fmt: skip
    step = Decimal(1).scaleb(-places)
    values = [
        None if each is None else Decimal(str(each)).quantize(step) for each in (former, draft)
    ]
    shown = [words.NOTHING if each is None else f"{each:,}{unit}" for each in values]
    before, after = values
    change = None if before is None or after is None else after - before
    return FigureLine(label, shown[0], shown[1], change, sample)


def _bands(done: BackTest) -> list[dict[str, Any]]:
    draft, former = _sides(done)
    befores = former["bands"] if former else [{"cycles": 0, "sqls": 0}] * len(_BAND_LABELS)
    return [
        {"label": label, "draft": each, "former": before}
        for label, each, before in zip(_BAND_LABELS, draft["bands"], befores, strict=True)
    ]


def _chart(done: BackTest, name: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return the chart of the share that became SQL, by score band."""
    draft, former = _sides(done)
    samples = [f"{label}\nn = {each['cycles']:,}"
               for label, each in zip(labels, draft[name], strict=True)]  # fmt: skip
    own = {"name": f"v{done.model.version}", "values": _percents(draft[name])}
    series: list[dict[str, Any]] = [own]
    if done.former:
        before = {"name": f"v{done.former.version}", "values": _percents(former[name])}
        series.insert(0, {**before, "outline": True})
    return {"kind": "bar", "labels": samples, "series": series, "unit": "%"}


def _percents(counts: list[dict[str, int]]) -> list[float | None]:
    return [
        round(100 * each["sqls"] / each["cycles"], 1)
        if each["cycles"] >= words.SMALLEST_SAMPLE
        else None
        for each in counts
    ]


def _lift(counts: Mapping[str, int], whole: float) -> str:
    if not whole or counts["cycles"] < words.SMALLEST_SAMPLE:
        return words.NOTHING
    return f"{counts['sqls'] / counts['cycles'] / whole:.1f}"


def _week(week: str, sent: Mapping[str, int], sales: Mapping[str, int], reps: int) -> WeekLine:
    former, draft = sent.get("former", 0), sent.get("draft", 0)
    days = sales.get("working_days", 0) * reps
    return WeekLine(
        week=date.fromisoformat(week),
        former=former,
        draft=draft,
        former_each=f"{former / days:.1f}" if days else words.NOTHING,
        draft_each=f"{draft / days:.1f}" if days else words.NOTHING,
        on_time=sales.get("on_time", 0),
        due=sales.get("due", 0),
    )
