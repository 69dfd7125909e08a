"""apiserver-unconditional-update: an update overwrites what its author has not seen.

Needs no fault: two people who read, think and write are enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import bug, patched
from chaoskube.models.apiserver import writes
from chaoskube.models.objects import KubeObject
from chaoskube.models.objects.resources import Resource


@bug(
    "apiserver-unconditional-update",
    cites="kubernetes/kubernetes#5086, #70674; the registry's AllowUnconditionalUpdate",
    invariants=("no-update-is-lost",),
    scenario="api-machinery",
)
def apiserver_unconditional_update() -> Iterator[None]:
    """A server takes every update as if it named no version, and writes it over whatever is there."""

    def any_version(wanted: str, current: KubeObject, resource: Resource) -> None:
        pass

    with patched(writes, "_check_version", any_version):
        yield
