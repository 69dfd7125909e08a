"""Mutants of what requests depend on."""

from __future__ import annotations

from collections.abc import Iterator

from chaoskube.bug import patched
from chaoskube.models.node.pod_killer import PodKiller
from chaoskube.models.objects import Container, LifecycleHandler
from chaoskube.scenarios.bugs.endpoints_keep_terminating import endpoints_keep_terminating
from tests.quality.mutant import mutant


@mutant("voluntary-disruption-loses-no-request", scenario="rolling-update")
def pre_stop_is_skipped() -> Iterator[None]:
    """The kubelet doesn't run preStop hooks."""

    async def skip(self: PodKiller, container: Container, hook: LifecycleHandler, limit_ns: int) -> None:
        return

    with patched(PodKiller, "_pre_stop", skip):
        yield


@mutant("dying-pods-are-not-ready-endpoints", scenario="rolling-update")
def deletion_is_ignored() -> Iterator[None]:
    """The planted bug endpoints-keep-terminating: whoever is ready is an endpoint, dying or not."""
    with endpoints_keep_terminating.patch():
        yield
