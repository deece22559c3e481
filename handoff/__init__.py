"""Owns who must act by when: agreement, calendars, clocks, BANT; builds on scoring and below."""
