"""What this app shows on pages of lower floors: columns, panels, timeline, criteria fields."""
