"""Caches of clients: what they are told is true, whole and in order, and in the end they know everything.

The observer holds each cache against the store's history and mentions what doesn't fit (`ViewConflict`); nothing is asked as
long as everything fits. A cache lives as long as its process: the next life may begin with an older state, as client-go's do.
"""

from __future__ import annotations

from chaoskube.invariant import always, eventually
from chaoskube.models.observer import (
    BACKWARDS,
    FORGOTTEN,
    GAP,
    STORE,
    UNKNOWN_STATE,
    Entry,
    Observer,
    ReadBegun,
    ReadRefused,
    ViewConflict,
)
from chaoskube.sim import SECOND


@always(on=[ViewConflict])
def caches_only_go_forward(event: Entry) -> None:
    """Within one life a cache is never told of a state that is older than what it has seen already.

    A controller would undo what was done since. (staging/src/k8s.io/client-go/tools/cache/reflector.go: a relist asks for
    nothing older than the last version; k/k PR#73845: on one watch versions strictly increase.)
    """
    _refuse(event, BACKWARDS, STORE)


@always(on=[ViewConflict])
def list_and_watch_have_no_gap(event: Entry) -> None:
    """What a watch passes over did not happen: each change up to its newest event or bookmark was told.

    An object that went away unseen stays in the cache for good. (staging/src/k8s.io/apiserver/pkg/storage/cacher: a watch
    from a revision is served whole or answered with 410; k/k PR#91417, k/k#76624.)
    """
    _refuse(event, GAP)


@always(on=[ViewConflict])
def what_a_cache_is_told_was_so(event: Entry) -> None:
    """What a list or a watch event shows at a resource version is what etcd held at that revision.

    Who goes on from a version that was never so misses what it was meant to say. (k/k PR#58547: a deletion carries the
    revision of the deletion.)
    """
    _refuse(event, UNKNOWN_STATE)


@always(on=[ViewConflict])
def what_a_cache_was_told_it_keeps(event: Entry) -> None:
    """An object that a cache was told of is in it until it is told that it is gone: before its next update at the latest.

    What falls out between the list and the store is never looked after. (k/k#83810, PR#83911: an informer's queue dropped
    what a relist showed of an object that had been deleted and made again.)
    """
    _refuse(event, FORGOTTEN)


@always(on=[ReadBegun, ReadRefused])
def nobody_insists_on_what_a_server_has_not_seen(event: Entry, memory: dict[str, object]) -> None:
    """Who is told that its version is too large for a server doesn't ask for that version again.

    It would ask for ever where the server will never come so far: etcd was restored from a backup, or this server's cache
    hangs. It asks for the newest state, whatever that is. (k/k PR#92537, #94316, #115093; client-go's reflector,
    isLastSyncResourceVersionUnavailable.)
    """
    read = event.event
    assert isinstance(read, ReadBegun | ReadRefused), "woken by its own events only"
    cache = f"{event.by}'s cache of {read.resource} {' '.join(read.selection)}".rstrip()
    if isinstance(read, ReadRefused):
        if read.is_too_large and read.asked:
            memory[cache] = read.asked
        return
    if read.asked in ("", "0"):
        memory.pop(cache, None)
        return
    assert memory.get(cache) != read.asked, (
        f"{cache} asks for the state as of {read.asked} again, which a server has refused as too large"
    )


@eventually(within="180s")
def caches_catch_up(seen: Observer) -> None:
    """Once faults stop, every cache shows each object as it has been for ten seconds.

    A cache that stays behind makes its controller wrong for ever. Back-offs, dead connections (45 s) and relists (up to
    60 s) fit into the bound. (client-go's reflector; k/k PR#92537, PR#83911.)
    """
    for behind in seen.views.behind(seen.now):
        age = (seen.now - behind.since) / SECOND
        raise AssertionError(
            f"{behind.by}'s cache of {behind.resource} does not show {behind.key} as it has been for {age:.0f} s"
        )


def _refuse(event: Entry, *rules: str) -> None:
    conflict = event.event
    assert isinstance(conflict, ViewConflict), "woken by its own event only"
    assert conflict.rule not in rules, conflict.words
