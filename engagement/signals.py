"""Facts that upper floors must commit together with."""

from django.dispatch import Signal

#: Events of leads were absorbed; ``lead_ids`` is a list, ``now`` the moment of absorbing.
events_absorbed = Signal()
