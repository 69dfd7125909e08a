"""apiserver-stale-list-time-travel: who starts lists from whatever cache it reaches, however old.

A kubelet that starts again may so be shown a pod that it has stopped itself, and that runs on another node since.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.client.reflector import Reflector


def _list_from_any_cache(self: Reflector) -> None:
    self._list()


@bug(
    "apiserver-stale-list-time-travel",
    cites="kubernetes/kubernetes issue 59848; Sun et al., HotOS 2021, figure 2",
    invariants=("a-pod-runs-in-one-place",),
    scenario="stateful-failover",
    needs=("freeze-stream",),
)
def apiserver_stale_list_time_travel() -> Iterator[None]:
    """The first list is asked for as of resourceVersion 0, which any cache may answer, instead of a consistent one."""
    with patched(Reflector, "_begin", _list_from_any_cache):
        yield
