"""What can be done to many leads at once, as jobs that a killed worker loses no part of."""
