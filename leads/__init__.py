"""Owns who: leads, companies, the lifecycle, deals, import; builds on crm.common and crm.accounts."""
