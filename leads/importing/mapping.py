"""What a file means: a mapping, frozen. Pure; ``documents`` reads one from its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leads.enums import AttributeType, DealOutcome, LifecycleStage

AT_IMPORT = "import"
LEAD_FIELDS = (
    "email", "first_name", "last_name", "phone", "title", "company_name", "country", "region",
    "city", "website", "source", "medium", "campaign",
)  # fmt: skip
ATTRIBUTE_PREFIX = "attributes."


class MappingInvalid(ValueError):
    """The mapping cannot be used; ``problems`` lists (path, sentence)."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        """Compose one message from all problems."""
        super().__init__("; ".join(f"{path} {sentence}" for path, sentence in problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class Moment:
    """Where an instant stands: a column with a strptime format, or the moment of the import.

    ``zone`` is that of texts without offset. ``date_zone`` marks columns that write a mere date as
    UTC midnight of that zone: such an instant is a date only. ``otherwise_import`` takes the moment
    of the import where the cell is empty.
    """

    column: str = ""
    format: str = ""
    zone: str = "UTC"
    date_zone: str = ""
    otherwise_import: bool = False


@dataclass(frozen=True)
class Move:
    """A past stage: entered ``at``, in rows where ``column`` holds one of ``values`` (or always).

    ``implied`` permits a jump over stages that the file does not record; it is marked as override.
    """

    stage: LifecycleStage
    at: Moment
    column: str = ""
    values: frozenset[str] = frozenset()
    implied: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a deal ended: by the words of a column, or the same for all rows."""

    column: str = ""
    won: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    constant: DealOutcome | None = None


@dataclass(frozen=True)
class AttributeDeclaration:
    """A custom attribute that the import may declare; ``is_by_sales`` if sales fills it in."""

    name: str
    label: str
    type: AttributeType
    is_by_sales: bool = False


@dataclass(frozen=True)
class FileMapping:
    """What is common to all files.

    ``key`` is the column of the row's own number in ``system``. ``placeholders`` mean "no answer"
    in every column; ``values`` replaces spellings per column. ``decimal`` is the mark before the
    decimals of numbers, a point or a comma.
    """

    system: str
    key: str
    encoding: str = "utf-8"
    delimiter: str = ""
    placeholders: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    decimal: str = "."

    def columns(self) -> set[str]:
        """Return every column the mapping reads."""
        return {self.key, *self.values} - {""}

    @property
    def same_by(self) -> str:
        """Return the column that makes two rows the same."""
        return self.key


@dataclass(frozen=True)
class LeadMapping(FileMapping):
    """A file of leads. ``fields`` is lead field -> column, ``constants`` lead field -> value."""

    fields: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    attributes: Sequence[AttributeDeclaration] = ()
    created_at: Moment | None = None
    history: Sequence[Move] = ()

    def columns(self) -> set[str]:
        """Return every column the mapping reads."""
        moments = [move.at for move in self.history] + (
            [self.created_at] if self.created_at else []
        )
        named = {*super().columns(), *self.fields.values()}
        named |= {moment.column for moment in moments} | {move.column for move in self.history}
        return named - {""}

    @property
    def same_by(self) -> str:
        """Return the column of the number, else that of the e-mail."""
        return self.key or self.fields.get("email", "")


@dataclass(frozen=True)
class DealMapping(FileMapping):
    """A file of deals; ``lead`` is the column of the lead's number in ``system``."""

    lead: str = ""
    outcome: Outcome = field(default_factory=Outcome)
    closed_at: Moment = field(default_factory=Moment)
    value: str = ""
    currency: str = ""
    owner: str = ""
    creates_reps: bool = False
    product: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def columns(self) -> set[str]:
        """Return every column the mapping reads."""
        named = {self.lead, self.outcome.column, self.closed_at.column, self.value, self.owner}
        return (super().columns() | named | {self.product, *self.attributes.values()}) - {""}
