"""Owns the numbers across apps: queries, charts, CSV. Reads everything, owns no table."""
