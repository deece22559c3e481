"""What happens to people, for upper floors to know."""

from django.dispatch import Signal

# A person was invited, or invited again: ``invitation``, ``now``. Sent in the transaction.
invited = Signal()
