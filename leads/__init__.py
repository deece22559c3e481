"""Owns who: leads, companies, lifecycle, deals, import; builds on crm.common and crm.accounts."""
