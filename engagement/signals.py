"""Facts that upper floors must commit together with."""

from django.dispatch import Signal

#: Acts of people were absorbed; ``lead_ids`` is a list, ``now`` the moment of absorbing. What
#: machines did, or nobody in particular, is no news of a lead.
events_absorbed = Signal()

#: A form captured leads or told more of them; ``lead_ids`` is a list, ``now`` the moment. What
#: they did is in the log by then, so that whoever hears it can judge them at once.
lead_captured = Signal()

#: What leads did was corrected: events are not theirs after all. Nothing was learned of them;
#: ``lead_ids`` is a list, ``now`` the moment.
history_corrected = Signal()
