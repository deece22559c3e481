"""Owns the demo company: an invented half year of marketing and sales; builds on every app."""
