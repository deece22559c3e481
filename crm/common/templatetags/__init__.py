"""Template tags of the design language; load them with ``{% load ui %}``."""
