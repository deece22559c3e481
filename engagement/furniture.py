"""What this app shows on the pages of lower floors: timeline, filters, a list column."""
