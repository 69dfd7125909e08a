"""Mutants, one for each invariant: a deviation in one place that this invariant catches first.

Each comes with a minimised trace in `../traces`. Test and maker are `../test_invariants.py` and `../make_traces.py`.
"""
