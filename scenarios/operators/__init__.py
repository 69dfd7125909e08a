"""Operators as users write them, to be run in the simulated cluster (`docs/operators.md`)."""
