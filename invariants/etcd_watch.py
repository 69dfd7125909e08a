"""What etcd's watches promise, each promise by the name that etcd's robustness suite has for it.

How each is found out stands in `models/etcd/view/watch_rules.py`; here is only who is asked when. The order is the
suite's: of two that break at once the first is told. The last, `watches_catch_up`, is ours.
"""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.invariants.raft import SeesEtcd
from chaoskube.models.etcd.view import Rule, WatchDelivered, WatchEnded, WatchProgressed


@always(on=[WatchDelivered])
def watch_filterable(seen: SeesEtcd) -> None:
    """A watch delivers only events of the keys and kinds that it was opened for.

    Whoever watches one tenant's keys would act on another's. (etcd's robustness suite: Filter.)
    """
    broken = seen.etcd.watches.broken
    assert Rule.FILTER not in broken, broken[Rule.FILTER]


@always(on=[WatchDelivered])
def watch_ordered(seen: SeesEtcd) -> None:
    """A watch delivers events in the order of their revisions.

    A cache would go back in time. (etcd API guarantees: Ordered; issue 15271.)
    """
    broken = seen.etcd.watches.broken
    assert Rule.ORDERED not in broken, broken[Rule.ORDERED]


@always(on=[WatchDelivered])
def watch_unique(seen: SeesEtcd) -> None:
    """A watch delivers no event twice.

    Whoever counts, or hands out work, does it twice. (etcd API guarantees: Unique; issue 17247.)
    """
    broken = seen.etcd.watches.broken
    assert Rule.UNIQUE not in broken, broken[Rule.UNIQUE]


@always(on=[WatchDelivered])
def watch_atomic(seen: SeesEtcd) -> None:
    """The events of one revision come in one response.

    Half of a transaction is a state that never was. (etcd API guarantees: Atomic.)
    """
    broken = seen.etcd.watches.broken
    assert Rule.ATOMIC not in broken, broken[Rule.ATOMIC]


@always(on=[WatchDelivered, WatchProgressed])
def watch_bookmarkable(seen: SeesEtcd) -> None:
    """After a progress notice comes no event up to its revision, and no older notice.

    Whoever begins anew from a bookmark would miss what comes late. (etcd API guarantees: Bookmarkable; issue 15220.)
    """
    broken = seen.etcd.watches.broken
    assert Rule.BOOKMARKABLE not in broken, broken[Rule.BOOKMARKABLE]


@always(on=[WatchDelivered])
def watch_resumable(seen: SeesEtcd) -> None:
    """A watch that begins at a revision gets the first event there is from then on.

    A watch that broke is taken up where it ended, and nothing in between may be lost. (etcd API guarantees: Resumable;
    issues 18089 and 19179.)
    """
    broken = seen.etcd.watches.broken
    assert Rule.RESUMABLE not in broken, broken[Rule.RESUMABLE]


@always(on=[WatchDelivered])
def watch_is_create(seen: SeesEtcd) -> None:
    """An event says that its key was created if, and only if, the key wasn't there before.

    Caches tell "added" from "modified" by it. (etcd's robustness suite: IsCreate.)
    """
    broken = seen.etcd.watches.broken
    assert Rule.IS_CREATE not in broken, broken[Rule.IS_CREATE]


@always(on=[WatchDelivered, WatchProgressed, WatchEnded])
def watch_reliable(seen: SeesEtcd) -> None:
    """A watch leaves no event out, up to the last event or notice that it delivered, and makes none up.

    Caches above have no other way to know of a change. (etcd API guarantees: Reliable; issues 17529 and 20221.)
    """
    broken = seen.etcd.watches.broken
    assert Rule.RELIABLE not in broken, broken[Rule.RELIABLE]


@always(on=[WatchDelivered])
def watch_prev_kv(seen: SeesEtcd) -> None:
    """The previous version that an event carries is the one that was there; it is left out only where it is compacted.

    What was deleted is known by it alone. (etcd's robustness suite: PrevKV; api/etcdserverpb/rpc.proto, prev_kv.)
    """
    broken = seen.etcd.watches.broken
    assert Rule.PREV_KV not in broken, broken[Rule.PREV_KV]


@eventually(within="180s")
def watches_catch_up(seen: SeesEtcd, memory: dict[str, object]) -> None:
    """Once faults stop, every watch that is open gets all that it was opened for, however late.

    A watch that hangs looks like a quiet one, and its owner goes on with the past for ever. A revision that was made since
    this was last asked is still on its way; what was sent on several late links at once may take minutes. (etcd API guarantees: Reliable; no suite can wait for it, a simulation can.)
    """
    wanted = memory.get("revision", 0)
    assert isinstance(wanted, int), "a revision is a number"
    memory["revision"] = seen.etcd.revision
    late = seen.etcd.watches.late(wanted)
    assert not late, late
