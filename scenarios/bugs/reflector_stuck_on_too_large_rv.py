"""reflector-stuck-on-too-large-rv: a client that has seen more than its new server asks that for the future, again and again."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.apiserver.api import Status
from chaoskube.models.client import reflector


def _never(why: Status | str) -> bool:
    return False


@bug(
    "reflector-stuck-on-too-large-rv",
    cites="kubernetes/kubernetes pull requests 92537 and 115093, issue 94316",
    invariants=("nobody-insists-on-what-a-server-has-not-seen",),
    scenario="api-failover",
    needs=("expire-watch",),
    setup={"window": 0},
)
def reflector_stuck_on_too_large_rv() -> Iterator[None]:
    """A reflector whose version is too large for the server that it asks keeps to that version."""
    with patched(reflector, "is_too_large", _never):
        yield
