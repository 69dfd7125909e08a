"""Faults that any distributed system has; one file each, found by `discovery.load`."""
