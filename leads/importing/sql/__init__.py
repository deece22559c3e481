"""What a mapping means, compiled to SQL: each field an expression over the cells of a line.

``lines`` takes the next lines of a job into a temporary table, ``questions`` has the rules of the
forms judge each distinct text once, ``leads``, ``history`` and ``deals`` say from both what a line
holds, or why it is refused.
"""
