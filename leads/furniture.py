"""What this app shows on shared pages: columns, filters, panels, timeline sources."""
