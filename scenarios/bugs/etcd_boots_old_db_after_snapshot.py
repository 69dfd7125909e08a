"""etcd-boots-old-db-after-snapshot: a member boots from its old database, beside a log that begins after it."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.etcd import boot
from chaoskube.models.etcd.backend import Backend
from chaoskube.sim import Disk


@bug(
    "etcd-boots-old-db-after-snapshot",
    cites="etcd-io/etcd#7628, commit 8b7b7222d",
    invariants=("members-have-one-state", "one-content-a-revision"),
    scenario="etcd-membership",
    needs=("crash", "crash-host", "crash-renaming", "full-disk", "bit-rot"),
    setup={"snapshots": 2},
)
def etcd_boots_old_db_after_snapshot() -> Iterator[None]:
    """A crash after a received snapshot was noted, and before its database took the old one's place, loses entries."""

    def old_backend(disk: Disk, backend: Backend, snapshot_index: int) -> Backend:
        return backend

    with patched(boot, "recovered_backend", old_backend):
        yield
