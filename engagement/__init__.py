"""Owns what they did: events, visitors, assets and their intake; builds on leads and below."""
