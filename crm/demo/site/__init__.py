"""The demo company's own website, with the tracker on it: a visitor's way to walk."""
