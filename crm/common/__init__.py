"""Owns what every floor shares: criteria, paging, page slots, outbox, notifications, heartbeats, ui.

Builds on crm.accounts only.
"""
