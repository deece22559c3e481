"""Who reads reports."""

from crm.accounts.enums import Role

READERS = (Role.MARKETER, Role.MANAGER, Role.ADMIN)
