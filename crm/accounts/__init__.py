"""Owns people: users, their roles, sales teams and invitations; builds on no other app."""
