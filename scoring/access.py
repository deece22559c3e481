"""Who works with scoring models: marketers and admins write, managers read and approve."""

from crm.accounts.access import role_required
from crm.accounts.enums import Role

EDITOR_ROLES = (Role.MARKETER, Role.ADMIN)
READER_ROLES = (Role.MARKETER, Role.MANAGER, Role.ADMIN)
may_edit_model = role_required(*EDITOR_ROLES)
may_read_model = role_required(*READER_ROLES)
