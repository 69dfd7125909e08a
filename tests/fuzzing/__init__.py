"""Requests that nobody would send, by the ten thousand, and what must hold of the API server's answers all the same.

`seeds.py` has an object of every kind, `values.py` spoils one, `shapes.py` grows one from the schema, `requests.py` makes
requests out of them, `server.py` is the simulated server with a view into its store, `oracle.py` says what is wrong with
an answer, `hunt.py` sends, counts and makes the first offender small. `python -m tests.fuzzing` is the long run.
"""
