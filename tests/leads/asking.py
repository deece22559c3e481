"""Lists as their addresses spell them."""

from django.http import QueryDict

from crm.accounts.models import User
from leads.list_address import ListAddress, read_address


def address(query: str, user: User) -> ListAddress:
    """Return the list that ``query`` asks for."""
    return read_address(QueryDict(query), user=user)
