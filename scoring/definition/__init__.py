"""What a scoring model says: a JSON document, checked once and read into frozen objects."""

from scoring.definition.node import Problem
from scoring.definition.reading import DefinitionInvalid, parse_definition, read_definition
from scoring.definition.rules import (
    GRADES,
    LEVELS,
    SCALE,
    Condition,
    Counting,
    Definition,
    EngagementGroup,
    EngagementRule,
    FastTrack,
    FitRule,
    Match,
    Persona,
    PropertyTest,
    Repeat,
)

__all__ = [
    "GRADES",
    "LEVELS",
    "SCALE",
    "Condition",
    "Counting",
    "Definition",
    "DefinitionInvalid",
    "EngagementGroup",
    "EngagementRule",
    "FastTrack",
    "FitRule",
    "Match",
    "Persona",
    "Problem",
    "PropertyTest",
    "Repeat",
    "parse_definition",
    "read_definition",
]
