"""Facts that upper floors must commit together with. Sent inside the service's transaction."""

from django.dispatch import Signal

#: A lead moved; ``change`` is the new ``StageInterval``, ``from_stage`` where it came from,
#: ``now`` the moment of the move. Never sent for imported history.
stage_changed = Signal()

#: Leads were created or their attributes changed; ``lead_ids`` is a list, ``now`` the moment.
leads_changed = Signal()

#: What criteria say of leads changed, though nothing was learned that could speak for them: their
#: company became a customer, a consent was taken back; ``lead_ids`` is a list, ``now`` the moment.
standing_changed = Signal()

#: Recycled leads woke up; ``lead_ids`` is a list, ``now`` the moment of the sweep.
leads_woken = Signal()
