"""What happens to people, for upper floors to know."""

from django.dispatch import Signal

# A person was invited, or invited again: ``invitation``, ``now``. Sent in the transaction.
invited = Signal()

# A person can hold no leads any more, their access ended or they are no longer a rep: ``person``,
# ``now``. Sent in the transaction.
stopped_selling = Signal()
