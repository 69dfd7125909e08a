"""reflector-rv-from-synthetic-added: a streaming list that is cut is gone on with, from the highest version that had come."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.apiserver.api import Status
from chaoskube.models.client.reflector import Reflector
from chaoskube.models.client.watch_errors import is_stream_end

_ended = Reflector._stream_list_ended


def _go_on_from_what_came(self: Reflector, why: Status | str) -> None:
    came = tuple((self._initial or {}).values())
    if not came or not is_stream_end(why):
        _ended(self, why)
        return
    self._initial = None
    self._replace(came, max((one.metadata.resource_version for one in came), key=int))
    self._rewatch()


@bug(
    "reflector-rv-from-synthetic-added",
    cites="kubernetes/kubernetes pull request 136583",
    invariants=("what-a-cache-is-told-was-so", "caches-only-go-forward", "caches-catch-up"),
    scenario="api-machinery",
    needs=("cut-initial-list", "drop-stream"),
    setup={"members": 1, "compact_ms": 0, "pace": 1000},
)
def reflector_rv_from_synthetic_added() -> Iterator[None]:
    """The initial events come in any order, and each is taken for a place to resume from: what had not come yet never does."""
    with patched(Reflector, "_stream_list_ended", _go_on_from_what_came):
        yield
