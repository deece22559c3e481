"""Owns the frame around every page: home per role, navigation, search, health. Sees everything."""
