"""What stands on the demo company's website. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from crm.demo.library import BY_SLUG

#: Where the site stands, below the address of Baton itself.
SITE_PATH = "/sample-site"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``form`` is the short name of the form below its ``text``, which has paragraphs."""

    title: str
    kicker: str
    lead: str
    text: str = ""
    form: str = ""
    form_title: str = ""


def _path(slug: str) -> str:
    return BY_SLUG[slug].path.strip("/")


HOME = Page(
    "Machines that run when you need them",
    "Halvorn",
    "Maintenance planning for plants that cannot stop on a Tuesday.",
    text=(
        "Halvorn tells the people on the floor what to look after this week, and the people "
        "in the office what it will cost if nobody does.\n\n"
        "Two hundred plants between Hagen and Trondheim plan their stops with it. Most of "
        "them began with one line and a checklist."
    ),
)
PAGES: dict[str, Page] = {
    "": HOME,
    _path("blog-oee"): Page(
        "Why OEE misleads",
        "From our blog",
        "A single figure for a whole line hides the one machine that everybody waits for.",
        text=(
            "A line at 78 per cent looks better than one at 74. But if the 74 stand for ten "
            "short stops and the 78 for one long night, the second plant had the worse week.\n\n"
            "We look at three figures instead: how often a machine stopped, how long until "
            "somebody stood in front of it, and how often it stopped again within a day."
        ),
    ),
    _path("blog-spare-parts"): Page(
        "Spare parts without fear",
        "From our blog",
        "Every plant keeps parts for machines that it sold years ago.",
        text=(
            "The shelf grows because nobody wants to be the one who threw away the bearing. "
            "Sort it by what a missing part costs in an hour, not by what the part cost when it "
            "came."
        ),
    ),
    _path("blog-night-shift"): Page(
        "What the night shift knows",
        "From our blog",
        "The best list of coming failures is in the heads of four people who sleep by day.",
        text=(
            "Ask one question at the end of every shift: which machine made you walk over to it "
            "without an alarm? Write the answer down. After six weeks you have a plan."
        ),
    ),
    _path("product-tour"): Page(
        "How Halvorn works",
        "Product",
        "Sensors where they pay, a checklist where they do not, one plan for both.",
        text=(
            "The planner proposes the next stop and says why. You move it, and it says what the "
            "move costs. Nothing is ordered behind your back."
        ),
    ),
    _path("case-gusswerk"): Page(
        "A foundry in Hagen",
        "Case study",
        "Forty-one unplanned stops in a year became nine.",
        text=(
            "The foundry began with its two oldest furnaces. After a quarter the plan was right "
            "more often than the foreman, which he is the first to say."
        ),
    ),
    _path("guide-downtime"): Page(
        "The planned downtime guide",
        "Guide, 24 pages",
        "Plan the first stop of a line in five steps: what to measure, whom to ask, what to skip.",
        text="With the two worksheets that we use ourselves in the first week at a plant.",
        form="planned-downtime-guide",
        form_title="Get the guide",
    ),
    _path("newsletter"): Page(
        "One letter a month",
        "Newsletter",
        "What went wrong at a plant, what it cost, and what they do differently now.",
        text="No more than one a month. Every letter ends with the link that ends them all.",
        form="newsletter",
        form_title="Subscribe",
    ),
    _path("pricing"): Page(
        "Pricing",
        "Halvorn",
        "By machine and month; people cost nothing.",
        text=(
            "Up to 20 machines: 19 euro each. Up to 100: 16 euro. Above that we look at your "
            "plant together before anybody names a figure.\n\n"
            "No fee for setting up. You can leave at the end of any month and take the data "
            "along."
        ),
    ),
    _path("demo"): Page(
        "See it with your own machines",
        "Demo",
        "Thirty minutes with somebody who has run a plant. Bring one machine that worries you.",
        form="request-demo",
        form_title="Request a demo",
    ),
}

#: What the head of every page leads to.
NAVIGATION = tuple(
    (label, _path(slug))
    for label, slug in (
        ("Product", "product-tour"),
        ("Blog", "blog-oee"),
        ("Guide", "guide-downtime"),
        ("Customers", "case-gusswerk"),
        ("Newsletter", "newsletter"),
        ("Pricing", "pricing"),
    )
)
CALL = ("Request a demo", _path("demo"))
#: What the home page leads on to.
TEASERS = tuple(
    (PAGES[path], path)
    for path in map(_path, ("blog-oee", "blog-spare-parts", "blog-night-shift", "guide-downtime"))
)
