"""One file a plugin, found by its decorator (`framework.enabled` loads them all)."""
