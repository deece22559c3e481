"""Owns the numbers across apps: queries, charts, CSV. Reads everything; owns only sums of it."""
