"""Bringing leads, their history and their deals in from files, without side effects.

``mapping`` says what a file means, ``reading`` opens it, ``staging`` copies it into the database,
``rows`` checks one line, ``leads`` and ``deals`` apply checked lines in chunks, ``jobs`` drives
it all.
"""
