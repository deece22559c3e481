"""Benchmarks: one command per figure, ratios to a reference measured in the same run."""
