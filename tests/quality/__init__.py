"""Tests of power: what the harness finds, and that each invariant catches something."""
