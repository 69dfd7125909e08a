"""Scheduling: a pod is bound once."""

from __future__ import annotations

from chaoskube.invariant import always
from chaoskube.models.objects import Pod
from chaoskube.models.observer import Entry, Written


@always(on=[Written])
def no_pod_is_bound_twice(event: Entry) -> None:
    """A pod's node is set once and never changes.

    Two nodes would run the same pod at the same time. (pkg/registry/core/pod/storage/storage.go, assignPod.)
    """
    written = event.event
    assert isinstance(written, Written), "woken by its own event only"
    if not isinstance(written.prev, Pod) or not isinstance(written.obj, Pod):
        return
    before, after = written.prev.spec.node_name, written.obj.spec.node_name
    assert not before or before == after, (
        f"pod {written.key} was bound to {before} and is now bound to {after}"
    )
