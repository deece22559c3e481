"""The rules of one section as the page lists them: sentence, hits, what changed, faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engagement.criteria import asset_choices
from scoring import sentences
from scoring.definition import Problem
from scoring.diff import Change, Difference
from scoring.editor.document import Document, Section, SectionKind, owner_of, rules_of, sections
from scoring.sentences import Part, Sentence
from scoring.services.hits import Hits


@dataclass(frozen=True)
class Row:
    """One rule as a sentence. ``name`` is what it is called where its sentence does not say it.

    ``is_counted`` is whether it is about acts, so that it has hits; they may not be known yet.
    """

    place: int
    name: str
    sentence: Sentence
    hits: Hits | None = None
    change: Difference | None = None
    problems: Sequence[str] = ()
    is_last: bool = False
    is_counted: bool = False

    @property
    def place_text(self) -> str:
        """Return its place as a form sends it."""
        return str(self.place)

    @property
    def before(self) -> int:
        """Return the place above."""
        return self.place - 1

    @property
    def after(self) -> int:
        """Return the place below."""
        return self.place + 1

    @property
    def spoken(self) -> str:
        """Return what a reader hears of it."""
        return self.name or sentences.words(self.sentence.what)

    @property
    def key(self) -> str:
        """Return its id on the page."""
        return f"rule-{self.place}"

    @property
    def is_new(self) -> bool:
        """Return whether the version it is compared with does not have it."""
        return self.change is not None and self.change.kind is Change.NEW


@dataclass(frozen=True)
class SectionLink:
    """One section in the list at the left."""

    section: Section
    name: str
    note: str
    count: int
    is_changed: bool
    is_faulty: bool


@dataclass(frozen=True)
class LinkGroup:
    """Sections under one heading; ``adds`` is what a person can add to them."""

    heading: str
    links: Sequence[SectionLink]
    adds: str = ""


@dataclass(frozen=True)
class Findings:
    """What is known of a document beside what it says: faults, changes, hits."""

    problems: Sequence[Problem]
    changes: Sequence[Difference]
    hits: Mapping[str, Hits]

    def faults_at(self, path: str) -> list[str]:
        """Return the faults of a part and what is in it."""
        return [each.sentence for each in self.problems if _is_at(each.path, path)]

    def change_at(self, path: str) -> Difference | None:
        """Return the difference of exactly this part."""
        return next((each for each in self.changes if each.path == path), None)

    def has_change(self, path: str) -> bool:
        """Return whether a part differs, or anything in it."""
        return any(_is_at(each.path, path) for each in self.changes)


def _is_at(path: str, outer: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def rows_of(document: Document, section: Section, findings: Findings) -> list[Row]:
    """Return the rules of a section."""
    rules = rules_of(document, section)
    say = _sayer(section.kind)
    return [
        Row(
            place,
            _name(section.kind, rule),
            _calm(say(rule)),
            findings.hits.get(str(rule.get("label")))
            if section.kind is SectionKind.GROUP
            else None,
            findings.change_at(section.rule_path(place)),
            findings.faults_at(section.rule_path(place)),
            is_last=place == len(rules) - 1,
            is_counted=section.kind is SectionKind.GROUP,
        )
        for place, rule in enumerate(rules)
    ]


def _calm(said: Sentence) -> Sentence:
    """Return a sentence in which the verb and the manner of counting do not stand out."""
    quiet = {"counting"} | ({"match.kind"} if len(said.what) > 1 else set())
    what, terms = (
        tuple(Part(part.text, "" if part.field in quiet else part.field) for part in parts)
        for parts in (said.what, said.terms)
    )
    return Sentence(what, terms)


def _sayer(kind: SectionKind) -> Any:
    if kind is SectionKind.GROUP:
        assets = dict(asset_choices())
        return lambda rule: sentences.engagement_rule(rule, assets)
    return {
        SectionKind.PERSONA: sentences.fit_rule,
        SectionKind.FAST_TRACK: sentences.fast_track,
    }.get(kind, sentences.condition)


def _name(kind: SectionKind, rule: Document) -> str:
    """Return the name of a rule whose sentence does not have it."""
    has_name = kind in (SectionKind.GROUP, SectionKind.PERSONA)
    return str(rule.get("label", "")) if has_name else ""


_TITLES = {
    SectionKind.DISQUALIFIERS: "Disqualifiers",
    SectionKind.BLOCKING: "Blocking conditions",
    SectionKind.FAST_TRACK: "Fast track",
}
_NOTES = {
    SectionKind.PERSONA: "the best persona of a lead gives its fit",
    SectionKind.DISQUALIFIERS: "asked before anything else",
    SectionKind.BLOCKING: "no MQL, whatever the score",
    SectionKind.FAST_TRACK: "MQL at once, without the grid",
}


def title_of(document: Document, section: Section) -> str:
    """Return the name of a section."""
    owner = owner_of(document, section)
    return _TITLES.get(section.kind) or str(owner.get("name") or sentences.MISSING)


def terms_of(document: Document, section: Section) -> Sequence[Part]:
    """Return what stands beside the name of a section: the limits of a group, a remark."""
    if section.kind is SectionKind.GROUP:
        return sentences.group(owner_of(document, section)).terms
    return (Part(_NOTES[section.kind]),)


def fault_words(document: Document, problem: Problem) -> str:
    """Return a fault with the names of the group and the rule it is in, instead of its path."""
    for section in sections(document):
        if not _is_at(problem.path, section.path):
            continue
        for place, rule in enumerate(rules_of(document, section)):
            if _is_at(problem.path, section.rule_path(place)):
                name = _name(section.kind, rule) or sentences.words(_sayer(section.kind)(rule).what)
                field = problem.path[len(section.rule_path(place)) :].lstrip(".")
                return _spoken(f"{title_of(document, section)}, {name}", field, problem)
        field = problem.path[len(section.path) :].lstrip(".")
        return _spoken(title_of(document, section), field, problem)
    return str(problem)


def _spoken(where: str, field: str, problem: Problem) -> str:
    field = field.replace("_", " ").replace(".", ", ")
    return " ".join(filter(None, (f"{where}:", field, problem.sentence)))


_HEADINGS = (
    ("Engagement", (SectionKind.GROUP,), "group"),
    ("Fit by persona", (SectionKind.PERSONA,), "persona"),
    ("Before anything", (SectionKind.DISQUALIFIERS,), ""),
    ("MQL definition", (SectionKind.FAST_TRACK, SectionKind.BLOCKING), ""),
)


def link_groups_of(document: Document, findings: Findings) -> list[LinkGroup]:
    """Return all sections under their headings."""
    links = [_link(document, section, findings) for section in sections(document)]
    return [
        LinkGroup(heading, [link for link in links if link.section.kind in kinds], adds)
        for heading, kinds, adds in _HEADINGS
    ]


def chips_of(document: Document, section: Section) -> tuple[str, str, list[tuple[str, str]]]:
    """Return a section in one line: its heading, its key, an icon and words for each rule."""
    is_fast = section.kind is SectionKind.FAST_TRACK
    said = (_sayer(section.kind)(rule) for rule in rules_of(document, section))
    chips = [("zap" if is_fast else "ban", sentences.words(each.what)) for each in said]
    return "Fast track" if is_fast else "Blocked by", section.key, chips


def _link(document: Document, section: Section, findings: Findings) -> SectionLink:
    is_group = section.kind is SectionKind.GROUP
    note = sentences.words(tuple(terms_of(document, section))) if is_group else ""
    return SectionLink(
        section=section,
        name=title_of(document, section),
        note=note,
        count=len(rules_of(document, section)),
        is_changed=findings.has_change(section.path),
        is_faulty=bool(findings.faults_at(section.path)),
    )
