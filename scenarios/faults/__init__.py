"""Faults that only an orchestrator has; one file each, found by its decorator."""
