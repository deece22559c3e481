"""The design language in Python: words for times and figures, clock badges, marks and bars."""
