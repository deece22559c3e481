"""Facts that upper floors must commit together with."""

from django.dispatch import Signal

#: A model came into force; ``model`` is the version, ``now`` the moment.
model_published = Signal()
