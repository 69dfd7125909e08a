"""etcd-lock-not-revalidated: a client that has waited for a lock doesn't look if it is still in the queue."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd.concurrency import Mutex
from chaoskube.models.etcd.messages import Range
from chaoskube.models.etcd.session import read_again


@bug(
    "etcd-lock-not-revalidated",
    cites="Jepsen: etcd 3.4.3 (2020-01-30); etcd-io/etcd pull request 11408",
    invariants=("a-lock-is-told-to-the-first-in-its-queue",),
    scenario="etcd-lease-lock",
    needs=("lease-revoke", "pause"),
)
def etcd_lock_not_revalidated() -> Iterator[None]:
    """When nobody is before it a waiting client takes the lock as its own, although its lease may have ended meanwhile."""

    async def believe(mutex: Mutex) -> int | None:
        found = await read_again(mutex._session.client, Range(key=mutex.key))
        return found.revision

    with patched(Mutex, "_is_still_queued", believe):
        yield
