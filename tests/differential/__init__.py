"""The store against a real etcd: the same requests go to both, and every answer is compared field by field.

`pytest tests/differential` runs a moderate number; `python -m tests.differential --requests 20000` runs more and prints
figures. `server.py` starts the real one, `wire.py` speaks to it, `history.py` generates, `compare.py` compares, `deviations.py`
lists where the real one is known to be wrong. `corpus/` holds recorded answers, for machines where no etcd runs;
`cases/` the histories in which a difference was found once.

Not covered, because the JSON gateway carries one request a watch: several watches on one stream, cancelling, progress on
demand, fragments. Not compared: lease times that pass, sizes, hashes, members, maintenance.
"""
