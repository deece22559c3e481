"""Owns what it is worth: scoring models, the score query, stored scores; builds on engagement."""
