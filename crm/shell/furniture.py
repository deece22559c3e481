"""What the frame itself puts into the sidebar."""

from crm.accounts.enums import Role
from crm.common.slots import NavItem, navigation

navigation.register(
    NavItem(
        name="people",
        label="People",
        tab="People",
        url_name="accounts:people",
        icon="user-cog",
        order=900,
        group="Set up",
        roles=(Role.ADMIN,),
    ),
    NavItem(
        name="teams",
        label="Teams",
        tab="Teams",
        url_name="accounts:teams",
        icon="users-round",
        order=910,
        group="Set up",
        roles=(Role.ADMIN,),
    ),
    NavItem(
        name="health",
        label="Health",
        tab="Health",
        url_name="shell:health",
        icon="heart-pulse",
        order=920,
        group="Set up",
        roles=(Role.ADMIN,),
    ),
)
