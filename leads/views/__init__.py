"""Pages about leads, one module per subject."""
