"""Everything that the editor shows of one version, put together for one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from crm.accounts.models import User
from leads.models import Lead
from scoring.access import EDITOR_ROLES
from scoring.definition import Definition, Problem, read_definition
from scoring.diff import Difference, differences
from scoring.editor import grid, rows, trial
from scoring.editor.address import NEW, SETTINGS, TERMS, EditorAddress
from scoring.editor.document import (
    Document,
    Section,
    SectionKind,
    owner_of,
    rules_of,
    section_named,
    sections,
    whole,
)
from scoring.editor.forms import RULE_FORMS, SETTINGS_FORMS, PartForm, TermsForm
from scoring.editor.reading import read_token
from scoring.editor.standing import Standing
from scoring.models import ScoringModel
from scoring.services import back_test_card, published_model
from scoring.services.hits import LATELY, countable, known_hits

MOST_VERSIONS = 6


@dataclass(frozen=True)
class EditorPage:
    """One version as one person sees it at one address.

    ``form`` is the form that is open, as it was sent when it was refused; ``told`` are the changes
    that somebody else made meanwhile.
    """

    model: ScoringModel
    address: EditorAddress
    viewer: User
    now: datetime
    form: PartForm | None = None
    told: Sequence[Difference] = field(default=())
    in_force: ScoringModel | None = None

    @cached_property
    def document(self) -> Document:
        """Return the document in a shape that has all sections."""
        return whole(self.model.definition)

    @cached_property
    def _read(self) -> tuple[Definition, Sequence[Problem]]:
        return read_definition(self.model.definition)

    @property
    def definition(self) -> Definition:
        """Return the rules as far as they can be read."""
        return self._read[0]

    @property
    def problems(self) -> Sequence[Problem]:
        """Return what keeps a draft from being published."""
        return self._read[1] if self.model.is_draft else ()

    @property
    def faults(self) -> list[str]:
        """Return the faults in words."""
        return [rows.fault_words(self.document, problem) for problem in self.problems]

    @cached_property
    def _former(self) -> Definition | None:
        if self.in_force is None or not self._is_compared:
            return None
        return read_definition(self.in_force.definition)[0]

    @property
    def _is_compared(self) -> bool:
        return self.in_force is not None and self.in_force != self.model

    @cached_property
    def changes(self) -> Sequence[Difference]:
        """Return in what it differs from the model in force."""
        if self.in_force is None or not self._is_compared:
            return ()
        return differences(self.in_force.definition, self.model.definition)

    @property
    def may_edit(self) -> bool:
        """Return whether this person may change this version."""
        return self.model.is_draft and self.viewer.has_role(*EDITOR_ROLES)

    @property
    def may_start(self) -> bool:
        """Return whether this person may begin a draft."""
        return self.viewer.has_role(*EDITOR_ROLES)

    @cached_property
    def section(self) -> Section:
        """Return the section in the middle: the one asked for, else the first."""
        found = section_named(self.document, self.address.section)
        return found or next(sections(self.document))

    @cached_property
    def findings(self) -> rows.Findings:
        """Return what is known of the document beside what it says."""
        hits = known_hits(self.definition, since=self.now - LATELY, now=self.now)
        return rows.Findings(self.problems, self.changes, hits)

    @cached_property
    def link_groups(self) -> Sequence[rows.LinkGroup]:
        """Return the sections for the list at the left."""
        return rows.link_groups_of(self.document, self.findings)

    @property
    def owes_hits(self) -> bool:
        """Return whether the hits of some rule have to be counted yet."""
        return len(self.findings.hits) < len({rule.label for rule in countable(self.definition)})

    @cached_property
    def rows(self) -> Sequence[rows.Row]:
        """Return the rules of the section."""
        return rows.rows_of(self.document, self.section, self.findings)

    @property
    def title(self) -> str:
        """Return the name of the section."""
        return rows.title_of(self.document, self.section)

    @property
    def terms(self) -> Sequence[Any]:
        """Return the words beside the name of the section."""
        return rows.terms_of(self.document, self.section)

    @property
    def has_own_settings(self) -> bool:
        """Return whether this person can change the name and the limits of the section."""
        return self.may_edit and self.section.kind in SETTINGS_FORMS

    @property
    def opens(self) -> str:
        """Return what is open: a rule's place, ``new``, ``settings``, ``terms``, or nothing."""
        return self.address.open if self.open_form else ""

    @property
    def opened_place(self) -> int | None:
        """Return the rule whose form is open."""
        return self.address.place if self.open_form else None

    @property
    def removes(self) -> str:
        """Return what the form that is open can remove."""
        if self.opens in (NEW, TERMS):
            return ""
        return f"Remove {self.section.kind.value}" if self.opens == SETTINGS else "Remove rule"

    @property
    def acts_and_blocks(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """Return what the MQL definition holds beside the grid, as chips."""
        return [
            rows.chips_of(self.document, Section(kind))
            for kind in (SectionKind.FAST_TRACK, SectionKind.BLOCKING)
        ]

    @cached_property
    def open_form(self) -> PartForm | None:
        """Return the form that is open; None when nothing is, or nothing may be changed."""
        if self.form is not None or not self.may_edit:
            return self.form
        return form_at(self.document, self.section, self.address)

    @property
    def read_token(self) -> str:
        """Return the document as it travels with the form that is open."""
        return read_token(self.document)

    @cached_property
    def grid(self) -> grid.Grid:
        """Return the MQL definition as a grid."""
        return grid.grid_of(self.definition, before=self._former, counts=self.counts)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Return how many leads stand in each cell."""
        return grid.leads_per_cell()

    @cached_property
    def back_test(self) -> dict[str, Any] | None:
        """Return what the card of the back-test shows; None where there is nothing to test."""
        card = back_test_card.card_of(self.model)
        return card if self.model.is_draft or card["done"] else None

    @cached_property
    def standing(self) -> Standing:
        """Return where the draft stands on its way into force."""
        leads = sum(self.counts.values())
        return Standing(self.model, self.in_force, self.changes, self.viewer, self.now, leads)

    @cached_property
    def trial(self) -> trial.Trial | None:
        """Return the test lead under both versions; None without one, or without a model."""
        lead = self._lead
        if lead is None or self.in_force is None:
            return None
        draft = trial.version_of(self.model) if self._is_tried else None
        return trial.tried(
            lead, in_force=trial.version_of(self.in_force), draft=draft, now=self.now
        )

    @property
    def _is_tried(self) -> bool:
        return self._is_compared and not self.problems

    @property
    def _lead(self) -> Lead | None:
        if not self.address.lead.isdecimal() or len(self.address.lead) > 18:
            return None
        return Lead.objects.visible_to(self.viewer).filter(pk=int(self.address.lead)).first()

    @cached_property
    def history(self) -> Sequence[ScoringModel]:
        """Return the latest versions, and how they came about."""
        people = ("created_by", "changed_by", "approved_by", "published_by", "based_on")
        models = ScoringModel.objects.select_related(*people).order_by("-version")
        return list(models.defer("definition", "based_on__definition")[:MOST_VERSIONS])


def editor_page(
    model: ScoringModel, address: EditorAddress, *, viewer: User, now: datetime, **rest: Any
) -> EditorPage:
    """Return the page of one version."""
    return EditorPage(model, address, viewer, now, in_force=published_model(), **rest)


def form_at(
    document: Document, section: Section, address: EditorAddress, data: Any = None
) -> PartForm | None:
    """Return the form that an address opens in a section, None when it opens none."""
    if address.open == TERMS:
        return TermsForm(data, part=document)
    if address.open == SETTINGS and section.kind in SETTINGS_FORMS:
        owner = {
            name: value for name, value in owner_of(document, section).items() if name != "rules"
        }
        return SETTINGS_FORMS[section.kind](data, part=owner)
    rules = rules_of(document, section)
    if address.open == NEW:
        return RULE_FORMS[section.kind](data, part={})
    if address.place is None or address.place >= len(rules):
        return None
    return RULE_FORMS[section.kind](data, part=rules[address.place])


def path_at(section: Section, address: EditorAddress) -> str:
    """Return where the document has what the form is about, empty for the terms."""
    if address.open == TERMS:
        return ""
    return section.path if address.open == SETTINGS else section.rule_path(address.place or 0)
