"""Famous failures re-created: one file a bug, with its citation, its patch, and what must catch it."""
