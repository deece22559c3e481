"""Pages and actions, one file per subject; each makes one service call."""
