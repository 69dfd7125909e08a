"""Compaction of etcd: every 5 minutes each server tries to be the one that does it.

A compare-and-swap on the version of `compact_rev_key` finds the winner; it compacts to the revision that was
recorded 5 minutes before. The first round only records. So 5 to 10 minutes of history are kept.
Source: staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.models.apiserver.events import Compacted
from chaoskube.models.apiserver.flow import Context, Flow
from chaoskube.models.etcd import messages as etcd

COMPACT_KEY = "compact_rev_key"


@frozen(kw_only=True)
class Round:
    """What a server remembers from its last attempt: the key's version, and the revision then."""

    version: int = 0
    revision: int = 0
    compacted: int = 0
    """What etcd was compacted to by then, as far as this server knows."""


def compact(ctx: Context, last: Round) -> Flow[Round]:
    """One attempt; returns what to remember until the next."""
    unchanged = etcd.Compare(key=COMPACT_KEY, target=etcd.CompareTarget.VERSION, value=last.version)
    request = etcd.Txn(
        compare=(unchanged,),
        success=(etcd.Put(key=COMPACT_KEY, value=str(last.revision).encode()),),
        failure=(etcd.Range(key=COMPACT_KEY),),
    )
    outcome = yield request
    if not isinstance(outcome, etcd.TxnResponse):
        return last
    if not outcome.succeeded:
        found = outcome.responses[0]
        assert isinstance(found, etcd.RangeResponse)
        version = found.kvs[0].version if found.kvs else 0
        return Round(version=version, revision=outcome.revision, compacted=_written(found))
    if last.revision:
        done = yield etcd.Compact(last.revision)
        if isinstance(done, etcd.CompactResponse):
            ctx.record(Compacted(server=ctx.name, revision=last.revision))
    return Round(version=last.version + 1, revision=outcome.revision, compacted=last.revision)


def _written(found: etcd.RangeResponse) -> int:
    value = found.kvs[0].value if found.kvs else b""
    return int(value) if isinstance(value, bytes) and value.isdigit() else 0
