"""apiserver-binding-ignores-uid: a binding that was decided for one pod is carried out on its namesake.

Needs no fault: a pod that is replaced while somebody thinks about where to run it is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.apiserver import subresources
from chaoskube.models.objects import Pod

_refusal = subresources._binding_refusal


def _ignore_uid(pod: Pod, uid: str) -> str:
    return _refusal(pod, "")


@bug(
    "apiserver-binding-ignores-uid",
    cites="kubernetes/kubernetes PR 116550",
    invariants=("a-write-for-one-uid-changes-no-other",),
    scenario="api-machinery",
)
def apiserver_binding_ignores_uid() -> Iterator[None]:
    """The binding subresource doesn't look at the uid that the scheduler meant."""
    with patched(subresources, "_binding_refusal", _ignore_uid):
        yield
