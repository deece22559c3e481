"""Facts that upper floors must commit together with. Sent inside the service's transaction."""

from django.dispatch import Signal

#: A lead moved; ``change`` is the new ``StageInterval``, ``from_stage`` where it came from,
#: ``now`` the moment of the move. Never sent for imported history.
stage_changed = Signal()

#: Leads were created or their attributes changed; ``lead_ids`` is a list, ``now`` the moment.
leads_changed = Signal()

#: Companies became customers: what criteria say of their leads changed, though nothing was learned
#: of these; ``lead_ids`` is a list, ``now`` the moment.
customers_changed = Signal()
