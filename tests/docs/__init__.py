"""The documents say what is true: examples run, tables equal the code."""
