"""Who works with content."""

from crm.accounts.access import role_required
from crm.accounts.enums import Role

CONTENT_ROLES = (Role.MARKETER, Role.MANAGER, Role.ADMIN)
may_edit_content = role_required(*CONTENT_ROLES)
