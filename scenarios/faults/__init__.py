"""Faults that only an orchestrator has: one verb a file."""
