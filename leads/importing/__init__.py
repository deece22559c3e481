"""Bringing leads, their history and their deals in from files, without side effects.

``mapping`` says what a file means, ``reading`` opens it, ``staging`` copies it into the database,
``sql`` says there what each line holds or why it is refused, ``leads`` and ``deals`` apply the
lines in chunks, ``jobs`` drives it all.
"""
