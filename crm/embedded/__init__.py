"""Owns the life cycle of PostgreSQL, Valkey and our own processes; builds on no other app."""
