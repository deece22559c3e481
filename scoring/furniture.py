"""What this app shows on pages of lower floors: columns, filters, views, panels."""
