"""What a lock of etcd promises, and what it doesn't.

It does not promise that one client alone is at work: whoever is paused longer than its lease lives believes to hold a lock that
another has by then (Jepsen's report on etcd 3.4.3, 2020-01-30; no lock service can do better without the help of what
is guarded). It promises something weaker, and more follows for those who use it:

- who is told "locked" had the oldest key of the lock at the revision that it was told. So of all who were told so at most
  one has its key still: of two keys that are there the newer was never the oldest;
- writes that are made only while the key exists (`Mutex.is_owner` in the same transaction) never go back behind those
  of a later holder. Each write carries its holder's token, the revision that made its key: they only grow.

Recorded by the clients of `etcd_lease_lock.py`.
"""

from __future__ import annotations

from attrs import frozen

from chaoskube.invariant import Invariant, always
from chaoskube.invariants.raft import SeesEtcd
from chaoskube.models.etcd.messages import EventType, prefix_end
from chaoskube.models.etcd.view import Applied
from chaoskube.sim import Entry

LOCK = "/lock/jobs"
GUARDED = "/guarded"


@frozen(kw_only=True)
class LockHeld:
    """A client was told at `revision` that it holds the lock; `token` is the revision that made its key."""

    key: str
    token: int
    revision: int


@frozen
class LockLeft:
    """A client gave the lock back, or gave up hope to."""

    key: str


@frozen
class Token:
    """What is written under the lock: by whom, in the order of tokens."""

    token: int
    text: str


@always(on=[LockHeld])
def a_lock_is_told_to_the_first_in_its_queue(seen: SeesEtcd, event: Entry) -> None:
    """Who is told that it holds a lock had the oldest key of all that wait, at that revision.

    One whose lease ended while it waited would go in beside the next. (Jepsen etcd 3.4.3; etcd pull request 11408.)
    """
    held = event.event
    assert isinstance(held, LockHeld), "woken by its own event only"
    prefix = f"{LOCK}/"
    queue = seen.etcd.store.range_at(prefix, prefix_end(prefix), held.revision)
    first = min(queue, key=lambda kv: kv.create_revision, default=None)
    assert first is not None and first.key == held.key and first.create_revision == held.token, (
        f"{event.by} was told at revision {held.revision} that it holds {LOCK} with {held.key} of revision "
        f"{held.token}; first was {'nobody' if first is None else f'{first.key} of {first.create_revision}'}"
    )


@always(on=[Applied])
def guarded_writes_keep_their_order(seen: SeesEtcd, event: Entry) -> None:
    """What is written under the lock, while the key exists, carries tokens that only grow.

    The lock alone excludes nobody; with the key in the transaction late holders are refused. (Jepsen etcd 3.4.3: fencing.)
    """
    applied = event.event
    assert isinstance(applied, Applied), "woken by its own event only"
    for change in applied.events:
        if change.kv.key == GUARDED and change.type is EventType.PUT:
            before = seen.etcd.store.value_at(GUARDED, change.kv.mod_revision - 1)
            old = before.value if before is not None else None
            new = change.kv.value
            assert isinstance(new, Token) and (old is None or isinstance(old, Token)), (
                "tokens are written there"
            )
            assert old is None or old.token <= new.token, (
                f"{new.text} writes with token {new.token} after {old.text} with {old.token}"
            )


INVARIANTS: tuple[Invariant, ...] = (
    a_lock_is_told_to_the_first_in_its_queue,
    guarded_writes_keep_their_order,
)
