"""Reactions to facts announced by lower floors, inside their transaction."""
