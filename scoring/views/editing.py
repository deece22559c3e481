"""Changes of a draft, one part at a time. Each is kept at once, as the next revision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from crm.common.http import AppRequest
from scoring.access import may_edit_model
from scoring.definition import GRADES, LEVELS, DefinitionInvalid
from scoring.diff import differences
from scoring.editor import document as parts
from scoring.editor.address import NEW, SETTINGS, TERMS, EditorAddress, read_address
from scoring.editor.document import Document, Section, SectionKind, whole
from scoring.editor.forms import PartForm
from scoring.editor.page import form_at, path_at
from scoring.editor.reading import moved, read_document
from scoring.editor.undo import keep_undo, take_undo
from scoring.models import ScoringModel
from scoring.services import ChangedDraft, DraftChanged, NotADraft, change_draft
from scoring.views.editor import show, version_or_404

Edit = Callable[[Document], Document]
_CELLS = frozenset(f"{grade}{level}" for grade in GRADES for level in LEVELS)


@may_edit_model
@require_POST
def part_save(request: AppRequest, version: int) -> HttpResponse:
    """Keep what was typed into the open form; its faults are told beside the fields."""
    model, address = version_or_404(version), read_address(version, request.POST)
    if not model.is_draft:
        messages.warning(request, str(NotADraft(model)))
        return _answer(request, address.closed)
    form = form_at(whole(model.definition), _section(model, address), address, request.POST)
    if form is None and _revision(request) != model.revision:
        return _conflict(request, DraftChanged(model), address)
    if form is None:
        raise Http404
    if "criteria_do" in request.POST or not form.is_valid():
        status = 422 if form.is_bound and not form.is_valid() else 200
        return show(request, model, address, form=form, status=status)
    return _save(request, model, address, form)


def _save(
    request: AppRequest, model: ScoringModel, address: EditorAddress, form: PartForm
) -> HttpResponse:
    section = _section(model, address)
    part = form.changed_part()
    try:
        changed = _change(request, model, lambda it: _with_part(it, address, part))
    except DraftChanged as conflict:
        return _conflict(request, conflict, address)
    except (NotADraft, DefinitionInvalid) as refusal:
        messages.warning(request, str(refusal))
        return _answer(request, address.closed)
    if address.open == NEW:
        address = replace(address, open=str(_count(changed.model, section) - 1))
    form.tell(changed.problems, path_at(section, address))
    if form.errors:
        return show(request, changed.model, address, form=form, status=422)
    return _answer(request, address.closed)


def _with_part(document: Document, address: EditorAddress, part: Document) -> Document:
    if address.open == TERMS:
        return part
    section = _named(document, address)
    if address.open == SETTINGS:
        return parts.with_settings(document, section, part)
    return parts.with_rule(document, section, address.place, part)


def _count(model: ScoringModel, section: Section) -> int:
    return len(parts.rules_of(whole(model.definition), section))


def _conflict(request: AppRequest, conflict: DraftChanged, address: EditorAddress) -> HttpResponse:
    """Show what somebody else changed, above the form that still holds what was typed."""
    model = version_or_404(address.version)
    before, after = read_document(request.POST.get("read", "")), whole(model.definition)
    address = moved(address, before, after)
    form = form_at(after, _section(model, address), address, request.POST)
    told = differences(before, after) if before else ()
    messages.warning(request, str(conflict))
    return show(request, model, address, form=form, told=told, status=422)


@may_edit_model
@require_POST
def part_remove(request: AppRequest, version: int) -> HttpResponse:
    """Remove the rule that is named, or the group or persona itself."""
    address = read_address(version, request.POST)

    def edit(document: Document) -> Document:
        section = _named(document, address)
        if address.open == SETTINGS and section.kind.is_many:
            return parts.without_section(document, section)
        return parts.without_rule(document, section, _place(document, section, address))

    then = address.at(section="") if address.open == SETTINGS else address.closed
    return _act(request, version, edit, then)


@may_edit_model
@require_POST
def part_move(request: AppRequest, version: int) -> HttpResponse:
    """Put the rule that is named, or the group or persona itself, to another place."""
    address = read_address(version, request.POST)
    to = _number(request.POST.get("to", ""))

    def edit(document: Document) -> Document:
        section = _named(document, address)
        if address.open == SETTINGS and section.kind.is_many:
            return parts.with_section_moved(document, section, to)
        place = _place(document, section, address)
        return parts.with_rule_moved(document, section, place, to)

    landed = replace(address, open=str(to))
    if address.open == SETTINGS:
        landed = replace(address, section=f"{address.section.rpartition('-')[0]}-{to}")
    return _act(request, version, edit, landed.closed, focus=landed.opener)


@may_edit_model
@require_POST
def section_add(request: AppRequest, version: int, kind: str) -> HttpResponse:
    """Add a group or a persona, and open its name and limits."""
    if kind not in {each.value for each in SectionKind if each.is_many}:
        raise Http404
    model, address = version_or_404(version), read_address(version, request.POST)
    _, added = parts.with_section(whole(model.definition), SectionKind(kind))
    then = replace(address, section=added.key, open=SETTINGS)
    return _act(request, version, lambda it: parts.with_section(it, SectionKind(kind))[0], then)


@may_edit_model
@require_POST
def cell_toggle(request: AppRequest, version: int) -> HttpResponse:
    """Take a cell of the grid into the MQL definition, or out of it."""
    cell = request.POST.get("cell", "")
    if cell not in _CELLS:
        raise Http404
    address = read_address(version, request.POST)
    act = _act_beside_form if address.open else _act
    return act(request, version, lambda it: parts.with_cell(it, cell), address)


@may_edit_model
@require_POST
def change_undo(request: AppRequest, version: int) -> HttpResponse:
    """Put the draft back to what it was before this person's last change of it."""
    model, address = version_or_404(version), read_address(version, request.POST)
    before = take_undo(request.session, model)
    if before is None:
        messages.warning(request, "There is nothing to undo: the draft has changed since.")
        return _answer(request, address.closed)
    return _act(request, version, lambda _: before, address.closed)


def _act(
    request: AppRequest, version: int, edit: Edit, then: EditorAddress, *, focus: str = ""
) -> HttpResponse:
    """Change the draft and show it; a refusal is told, and shows the draft as it is."""
    try:
        _change(request, version_or_404(version), edit)
    except (DraftChanged, NotADraft, DefinitionInvalid) as refusal:
        messages.warning(request, str(refusal))
    return _answer(request, then, focus=focus)


def _act_beside_form(
    request: AppRequest, version: int, edit: Edit, address: EditorAddress
) -> HttpResponse:
    """Change the draft and show it with the form that is open, as it was filled in so far."""
    try:
        model = _change(request, version_or_404(version), edit).model
    except DraftChanged as conflict:
        return _conflict(request, conflict, address)
    except (NotADraft, DefinitionInvalid) as refusal:
        messages.warning(request, str(refusal))
        return _answer(request, address.closed)
    form = form_at(whole(model.definition), _section(model, address), address, request.POST)
    return show(request, model, address, form=form)


def _change(request: AppRequest, model: ScoringModel, edit: Edit) -> ChangedDraft:
    revision = _revision(request)
    if revision != model.revision:
        raise DraftChanged(model)
    before = model.definition
    changed = change_draft(
        model_id=model.pk,
        revision=revision,
        definition=edit(whole(before)),
        actor=request.user,
        now=timezone.now(),
    )
    keep_undo(request.session, changed.model, before)
    return changed


def _answer(request: AppRequest, address: EditorAddress, *, focus: str = "") -> HttpResponse:
    if not request.htmx:
        return redirect(address.url)
    return show(request, version_or_404(address.version), address, focus=focus)


def _section(model: ScoringModel, address: EditorAddress) -> Section:
    return _section_of(whole(model.definition), address)


def _named(document: Document, address: EditorAddress) -> Section:
    """Return the section that is to change; none is changed in place of another."""
    found = parts.section_named(document, address.section)
    if found is None:
        raise Http404
    return found


def _section_of(document: Document, address: EditorAddress) -> Section:
    """Return the section to show: the one that is named, else the first."""
    found = parts.section_named(document, address.section)
    return found or next(parts.sections(document))


def _place(document: Document, section: Section, address: EditorAddress) -> int:
    """Return the number of the rule that is named."""
    if address.place is None or address.place >= len(parts.rules_of(document, section)):
        raise Http404
    return address.place


def _revision(request: AppRequest) -> int:
    """Return the revision that the page showed."""
    return _number(request.POST.get("revision", ""))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 0
