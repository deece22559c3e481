"""Where upper floors furnish the pages of lower ones; each app registers in its ``furniture.py``.

Everything is contributed with a batched query: a page of 50 leads costs a constant number of
queries, however many apps contribute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from crm.accounts.enums import Role
from crm.accounts.models import User
from crm.common.prepared import PreparedQuery
from crm.common.registry import Registry

LoadColumn = Callable[[Sequence[int], User, datetime], Mapping[int, Any]]
LoadPanel = Callable[[Any, User, datetime], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Column:
    """A column of the lead list.

    ``load(lead_ids, viewer, now)`` returns a value per lead; leads without one may be missing.
    Columns with the same ``load`` are loaded together, once a page. The template gets ``lead``,
    ``value`` and ``now`` (in the viewer's zone); for a cell of one tag ``draw(lead, value, now)``
    returns it instead, as a page has hundreds of them. ``sort`` is the ordering the list may offer,
    a tuple of order_by terms with a unique tail, all on indexed columns; ``sort_words`` say it, and
    then its reverse if it has one: ``("Newest first", "Oldest first")``. ``export(value)`` is its
    cell in a file; an instant may stay one, the file has it in the viewer's zone. What the lead
    itself holds is exported by ``read(lead)`` instead.
    """

    name: str
    label: str
    order: int
    load: LoadColumn
    template: str = ""
    draw: Callable[[Any, Any, datetime], str] | None = None
    align: str = ""
    sort: tuple[str, ...] = ()
    sort_words: tuple[str, ...] = ()
    is_default: bool = True
    export: Callable[[Any], Any] = str
    read: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class Panel:
    """A block of the lead page. ``load(lead, viewer, now)`` returns its context, None to stay away.

    Panels with the same ``load`` are loaded together, once a page; one whose template comes out
    empty stays away too. ``place`` is ``title`` (beside the name), ``header`` (at its right:
    deadline and acts), ``left`` or ``right``. The template gets what ``load`` returned, ``lead``,
    ``viewer`` and ``now``.
    """

    name: str
    order: int
    place: str
    load: LoadPanel
    template: str


@dataclass(frozen=True)
class EntryAct:
    """What may be done about a line of a timeline: POST ``name=value`` to ``url``.

    Its answer to htmx is the line as it is then.
    """

    label: str
    url: str
    name: str
    value: str


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a lead's timeline.

    ``kind`` groups it under a filter, see ``TIMELINE_KINDS``. ``tone`` is ``plain``, ``stage``,
    ``system`` or ``machine``. Neighbours with the same ``key`` collapse into one.
    ``points`` are what the act added to the score; ``earns`` says that ``timeline_gains`` may know
    of some, which the page asks for once it is shown. ``act`` is what the viewer may do
    about it.
    """

    at: datetime
    kind: str
    icon: str
    title: str
    detail: str = ""
    tag: str = ""
    points: Decimal | None = None
    earns: bool = False
    tone: str = "plain"
    url: str = ""
    key: str = ""
    act: EntryAct | None = None


#: The filters of a timeline: what the lead did, what its score did, what our people did, and what
#: machines did in its name.
TIMELINE_KINDS = ("acts", "score", "sales", "machines")


@dataclass(frozen=True)
class TimelineSource:
    """Entries of one app: ``load(lead_id, viewer, before, limit)``, newest first.

    ``before`` is exclusive; None means from now. At most ``limit`` entries are returned; a source
    that holds more entries of the last instant than fit returns all of that instant. ``kinds`` are
    those its entries can have: it is not asked when none of them is wanted. ``reads`` are queries,
    of a lead and of ``before``: when none of them has rows, it is not asked either. Where a lead
    has no entry of these kinds at all, ``silence(lead_id, viewer, now)`` says why.
    """

    name: str
    order: int
    load: Callable[[int, User, datetime | None, int], Sequence[TimelineEntry]]
    kinds: tuple[str, ...] = TIMELINE_KINDS
    reads: tuple[PreparedQuery[Any], ...] = ()
    silence: Callable[[int, User, datetime], str] | None = None


@dataclass(frozen=True)
class TimelineGains:
    """What acts earned: ``load(lead_id, moments, now)`` returns points by the time of the acts.

    ``rules()`` names what they were counted by.
    """

    name: str
    order: int
    load: Callable[[int, Sequence[datetime], datetime], Mapping[datetime, Decimal]]
    rules: Callable[[], str]


@dataclass(frozen=True)
class SavedView:
    """A tab of the lead list: criteria, order, columns and page size, for some roles.

    Without ``columns`` it has those shown by default. ``kept`` is the view as somebody keeps it;
    those that ship with Baton have none. ``is_pinned`` is for one person.
    """

    name: str
    label: str
    order: int
    tree: Mapping[str, Any]
    sort: str = "activity"
    roles: tuple[Role, ...] = ()
    tone: str = ""
    icon: str = ""
    columns: tuple[str, ...] = ()
    page_size: int = 50
    is_board: bool = False
    kept: Any = None
    is_pinned: bool = False


@dataclass(frozen=True)
class NavItem:
    """A link of the side bar. ``badge(user, now)`` is the small count beside it.

    ``key`` are the keys that go there, such as ``g l``; ``tab`` is the short name at the bottom of
    a phone, where there is room for three.
    """

    name: str
    label: str
    url_name: str
    icon: str
    order: int
    group: str = ""
    roles: tuple[Role, ...] = ()
    badge: Callable[[User, datetime], int | str | None] | None = None
    query: str = ""
    key: str = ""
    tab: str = ""


lead_columns: Registry[Column] = Registry("lead column")
lead_panels: Registry[Panel] = Registry("lead panel")
timeline_gains: Registry[TimelineGains] = Registry("timeline gain")
timeline_sources: Registry[TimelineSource] = Registry("timeline source")
lead_views: Registry[SavedView] = Registry("lead view")
navigation: Registry[NavItem] = Registry("navigation item")
