"""Time of one question about working time, and its ratio to subtracting two datetimes.

Run it from the root of the repository: ``python -m bench.working_time``. A cold question is the
first one in a process: it lays out every year that it touches. Target: 20 years, warm, in 1 ms.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from timeit import repeat

from handoff.business_hours import add_working_time, parse_calendar, working_time_between
from handoff.business_hours.openings import timetable

START = datetime(2010, 3, 3, 11, 30, tzinfo=UTC)
END = datetime(2030, 3, 3, 11, 30, tzinfo=UTC)
CALENDAR = parse_calendar(
    {
        "timezone": "Europe/Berlin",
        "weekly": {
            day: [["09:00", "12:00"], ["13:00", "18:00"]]
            for day in ("mon", "tue", "wed", "thu", "fri")
        },
        "holidays": [f"{year}-12-{day}" for year in range(2010, 2031) for day in (24, 25, 26)],
    }
)
PAUSES = [
    (START + timedelta(days=70 * n), START + timedelta(days=70 * n, hours=30)) for n in range(100)
]
WORK = working_time_between(START, END, CALENDAR)

RESULTS = Path(__file__).parent / "results" / "working_time.jsonl"

QUESTIONS: dict[str, Callable[[], object]] = {
    "elapsed over 20 years": lambda: working_time_between(START, END, CALENDAR),
    "elapsed over 20 years, 100 pauses": lambda: working_time_between(START, END, CALENDAR, PAUSES),
    "due after 4 hours": lambda: add_working_time(START, timedelta(hours=4), CALENDAR),
    "due after 20 years": lambda: add_working_time(START, WORK, CALENDAR),
}


def main() -> None:
    """Measure, print the table, and append it to the results as one JSON line."""
    reference = microseconds(lambda: END - START, calls=100_000)
    figures = {name: microseconds(ask, calls=500) for name, ask in QUESTIONS.items()}
    figures |= {f"{name}, cold": microseconds_cold(ask) for name, ask in QUESTIONS.items()}

    print(f"{'question':40} {'microseconds':>12} {'ratio':>10}")
    print(f"{'subtract two datetimes':40} {reference:12.2f} {1:10}")
    for name, figure in figures.items():
        print(f"{name:40} {figure:12.1f} {figure / reference:10.0f}")
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as lines:
        lines.write(json.dumps({"reference": reference} | figures) + "\n")


def microseconds(question: Callable[[], object], *, calls: int) -> float:
    """Return the median time of a call, over seven runs."""
    return median(repeat(question, number=calls, repeat=7)) / calls * 1e6


def microseconds_cold(question: Callable[[], object]) -> float:
    """Return the median time of the first call, over seven of them."""
    return median(repeat(question, timetable.cache_clear, number=1, repeat=7)) * 1e6


if __name__ == "__main__":
    main()
