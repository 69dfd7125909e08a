"""Verdicts that others found: facts about public files, which themselves are not here.

The register logs are those of Jepsen's runs against etcd 2.0 in the test data of the checker porcupine; the verdicts
are those that its own tests assert. The files of strings say theirs in their names. The recordings of etcd are ours.
"""

from __future__ import annotations

_REGISTER_GOOD = "002 005 007 018 025 031 048 049 051 053 056 076 087 092 101"
_REGISTER_BAD = """
    000 001 003 004 006 008 009 011 013 014 015 017 019 020 021 022 023 026 029 030 032 033 034 037 039 043 050 052
    055 058 059 060 061 063 064 065 069 070 072 073 074 077 079 081 082 083 084 085 090 091 093 094 096
"""
_ETCD_GOOD = "compact-1 healthy-3 kill-all-3 kill-leader-3 pause-leader-3"
_ETCD_BAD = "bug18667-diverged-3"


def expected_verdict(name: str) -> bool | None:
    """Whether the history in a file of this name is linearizable, if that is known."""
    return _KNOWN.get(name)


_KNOWN = {
    **{f"etcd_{one}.log": True for one in _REGISTER_GOOD.split()},
    **{f"etcd_{one}.log": False for one in _REGISTER_BAD.split()},
    **{f"c{clients}-{word}.txt": word == "ok" for clients in ("01", "10", "50") for word in ("ok", "bad")},
    **{f"{one}.jsonl.gz": True for one in _ETCD_GOOD.split()},
    **{f"{one}.jsonl.gz": False for one in _ETCD_BAD.split()},
}
