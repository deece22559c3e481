"""Owns what every floor shares: criteria, paging, slots, outbox, notifications, heartbeats, ui.

Builds on crm.accounts only.
"""
