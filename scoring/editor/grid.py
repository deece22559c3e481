"""The MQL definition as a grid: which cells are in it, and how many leads stand in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db.models import Count
from django.urls import reverse
from django.utils.http import urlencode

from leads.models import Lead
from scoring.definition import GRADES, LEVELS, Definition
from scoring.models import LeadScore
from scoring.services.publishing import published_model

#: So old a count may be. Our choice.
KEPT_FOR = timedelta(minutes=1)
_KEY = "leads-per-cell"


@dataclass(frozen=True)
class GridCell:
    """One cell. ``was_inside`` is whether the version it is compared with has it."""

    code: str
    leads: int
    is_inside: bool
    was_inside: bool

    @property
    def is_changed(self) -> bool:
        """Return whether the cell differs from the version it is compared with."""
        return self.is_inside != self.was_inside

    @property
    def words(self) -> str:
        """Return what a reader hears."""
        inside = f"{'inside' if self.is_inside else 'outside'} the MQL definition"
        return f"{self.code}, {self.leads:,} leads, {inside}{self._change}"

    @property
    def _change(self) -> str:
        if not self.is_changed:
            return ""
        return ", new in it" if self.is_inside else ", no longer in it"


@dataclass(frozen=True)
class GridRow:
    """One grade with the fit that it begins at."""

    grade: str
    span: str
    cells: Sequence[GridCell]


@dataclass(frozen=True)
class Grid:
    """The whole grid; ``columns`` are the levels with the engagement they begin at."""

    columns: Sequence[tuple[int, str]]
    rows: Sequence[GridRow]

    @property
    def cells(self) -> Iterator[GridCell]:
        """Go through all cells."""
        return (cell for row in self.rows for cell in row.cells)

    @property
    def inside(self) -> list[GridCell]:
        """Return the cells of the MQL definition."""
        return [cell for cell in self.cells if cell.is_inside]

    @property
    def leads(self) -> int:
        """Return how many leads stand inside."""
        return sum(cell.leads for cell in self.inside)

    @property
    def url(self) -> str:
        """Return the list of the leads that stand inside."""
        codes = ",".join(cell.code for cell in self.inside)
        return f"{reverse('leads:list')}?{urlencode({'view': 'all', 'f': f'cell.in.{codes}'})}"

    @property
    def changes(self) -> str:
        """Return which cells are new and which are gone, in words; nothing without a change."""
        new = [cell for cell in self.cells if cell.is_changed and cell.is_inside]
        gone = [cell for cell in self.cells if cell.is_changed and cell.was_inside]
        told = [*_told(new, "new"), *_told(gone, "gone")]
        return " and ".join(told)


def _told(cells: Sequence[GridCell], what: str) -> Iterator[str]:
    if cells:
        codes = " and ".join(cell.code for cell in cells)
        verb = "is" if len(cells) == 1 else "are"
        yield f"{codes} {verb} {what}, {sum(cell.leads for cell in cells):,} leads"


def leads_per_cell() -> dict[str, int]:
    """Return how many leads stand in each cell as last scored; those without one under ``""``.

    Counted anew after ``KEPT_FOR``, and once the scores are those of another model: each click in
    the editor shows them, and all scores are read.
    """
    model = published_model()
    state = f"{model.pk}-{model.rescored_up_to is None}" if model else ""
    return cache.get_or_set(f"{_KEY}-{state}", _count, KEPT_FOR.total_seconds()) or {}


def _count() -> dict[str, int]:
    merged = Lead.objects.filter(merged_into__isnull=False)
    scores = LeadScore.objects.exclude(lead__in=merged).order_by()
    counted = scores.values_list("cell").annotate(leads=Count("lead"))
    return dict(counted)


def grid_of(
    definition: Definition, *, before: Definition | None, counts: Mapping[str, int]
) -> Grid:
    """Return the grid of a model, compared with ``before``; without one nothing is a change."""
    former = (before or definition).cells
    rows = [
        GridRow(
            grade,
            span,
            [
                GridCell(code, counts.get(code, 0), code in definition.cells, code in former)
                for code in (f"{grade}{level}" for level in LEVELS)
            ],
        )
        for grade, span in zip(GRADES, _spans(definition.grades), strict=True)
    ]
    return Grid(list(zip(LEVELS, _spans(definition.levels), strict=True)), rows)


def _spans(thresholds: Sequence[int]) -> list[str]:
    """Return from where to where each step goes, in whole points as lists show them."""
    first, second, third = (least // 10 for least in thresholds)
    return [f"{first}+", f"{second}–{first - 1}", f"{third}–{second - 1}", f"0–{third - 1}"]
