"""Bringing handoffs of other tools in, so that compliance covers the past; nothing acts on them.

``mapping`` says what a file means, ``lines`` reads one line or says why it is refused, ``applying``
writes a chunk. The run, its restart and its report are those of ``leads.importing``.
"""
