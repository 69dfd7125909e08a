"""Mutants around binding."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from attrs import evolve

from chaoskube.bug import patched
from chaoskube.models import cluster
from chaoskube.models.apiserver import subresources
from chaoskube.models.objects import Pod
from chaoskube.models.scheduler.shell import boot_scheduler
from chaoskube.scenarios.bugs.informer_tombstone_unhandled import informer_tombstone_unhandled
from tests.quality.mutant import mutant


@mutant("no-pod-is-bound-twice", scenario="rolling-update")
def later_bindings_are_taken_too() -> Iterator[None]:
    """The API server doesn't look whether the pod has a node already, and every scheduler works without being elected."""
    refusal = subresources._binding_refusal

    def forget_the_node(pod: Pod, uid: str) -> str:
        return refusal(evolve(pod, spec=evolve(pod.spec, node_name=None)), uid)

    at_once = partial(boot_scheduler, leader_elect=False)
    with (
        patched(subresources, "_binding_refusal", forget_the_node),
        patched(cluster, "boot_scheduler", at_once),
    ):
        yield


@mutant("a-pod-that-fits-is-bound", scenario="cascading-delete")
def tombstones_are_no_pods() -> Iterator[None]:
    """The planted bug informer-tombstone-unhandled: what went unseen counts for ever."""
    with informer_tombstone_unhandled.patch():
        yield
